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

/**
 * fmt's %g and %v, or %.3g where `significant` is 3: an exponent below 1e-4 and from 1e6 on (from one digit more than
 * `significant` on).
 */
export function formatGeneral(value: number, significant?: number): string {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return plain(value);
  const rounded = significant === undefined ? value : roundToEven(value, significant);
  const { exponent } = decompose(rounded);
  return exponent < -4 || exponent >= (significant ?? 6) ? scientific(rounded) : formatFloat(rounded);
}

/** toPrecision, but a value exactly in the middle goes to the even digit. */
function roundToEven(value: number, significant: number): number {
  const [digits, exponent] = Math.abs(value).toExponential(60).replace(".", "").split("e");
  const inTheMiddle = digits[significant] === "5" && /^0*$/.test(digits.slice(significant + 1));
  if (!inTheMiddle || digits.charCodeAt(significant - 1) % 2 === 1)
    return Number(value.toPrecision(significant));
  return Math.sign(value) * Number(`${digits.slice(0, significant)}e${Number(exponent) - significant + 1}`);
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
