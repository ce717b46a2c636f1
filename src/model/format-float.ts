/**
 * Numbers as Go prints them. The digits are the same: both take the fewest that read back as the same double. What
 * differs is when there is an exponent, how many digits it has, and the names of the special values.
 */

/** strconv's 'f' with precision -1: never an exponent. Label values, scalars of the API. */
export function formatFloat(value: number): string {
  const magnitude = Math.abs(value);
  if ((magnitude >= 1e-6 && magnitude < 1e21) || value === 0) return plain(value);
  if (!Number.isFinite(value)) return special(value);
  const { sign, digits, exponent } = decompose(value);
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + digits.padEnd(exponent + 1, "0");
}

/** Samples in the API's JSON: 'f' from 1e-6 up to below 1e21, 'e' outside of that. */
export function formatSampleValue(value: number): string {
  const magnitude = Math.abs(value);
  if ((magnitude >= 1e-6 && magnitude < 1e21) || value === 0) return plain(value);
  if (!Number.isFinite(value)) return special(value);
  return scientific(value);
}

/** fmt's %g and %v: an exponent below 1e-4, and from 1e21 on or where there would be trailing zeros before the point. */
export function formatGeneral(value: number): string {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return plain(value);
  const { exponent, digits } = decompose(value);
  // Go decides by precision 6 for the shortest form, but never cuts digits that are there anyway.
  const limit = digits.length > exponent ? Math.max(digits.length, 6) : 6;
  return exponent < -4 || exponent >= Math.min(limit, 21) ? scientific(value) : formatFloat(value);
}

function plain(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function special(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

/** d.ddde±dd, at least two digits in the exponent. */
function scientific(value: number): string {
  const { sign, digits, exponent } = decompose(value);
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${digits[0]}${rest}e${exponent < 0 ? "-" : "+"}${power}`;
}

/** value = sign digits[0].digits[1…] * 10^exponent */
function decompose(value: number): { sign: string; digits: string; exponent: number } {
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e");
  return { sign: value < 0 ? "-" : "", digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}
