/**
 * Parts of a UTC date, from seconds since 1970: the proleptic Gregorian calendar, computed in numbers, because
 * JavaScript's dates end at the year 275760 and cost an object per value. The fraction of a second is cut off.
 */

const secondsPerDay = 86_400;
/** Days of 400 years, after which the calendar repeats. */
const daysPerEra = 146_097;

/** NaN and numbers that do not fit become the smallest int64 in Go, which its calendar takes for this. */
const outOfRange = 2 ** 63;

function wholeSeconds(seconds: number): number {
  return Math.abs(seconds) < 2 ** 63 ? Math.trunc(seconds) : outOfRange;
}

function dayNumber(seconds: number): number {
  return Math.floor(wholeSeconds(seconds) / secondsPerDay);
}

interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** Years are taken to begin in March, so that the leap day is the last of its year. */
function civil(seconds: number): CivilDate {
  const days = dayNumber(seconds) + 719_468;
  const era = Math.floor(days / daysPerEra);
  const dayOfEra = days - era * daysPerEra;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOf(year: number, month: number): number {
  return monthDays[month - 1] + (month === 2 && isLeap(year) ? 1 : 0);
}

export function year(seconds: number): number {
  return civil(seconds).year;
}

export function month(seconds: number): number {
  return civil(seconds).month;
}

export function dayOfMonth(seconds: number): number {
  return civil(seconds).day;
}

export function daysInMonth(seconds: number): number {
  const date = civil(seconds);
  return daysOf(date.year, date.month);
}

export function dayOfYear(seconds: number): number {
  const date = civil(seconds);
  let day = date.day;
  for (let m = 1; m < date.month; m++) day += daysOf(date.year, m);
  return day;
}

/** 0 is Sunday. 1970 began on a Thursday. */
export function dayOfWeek(seconds: number): number {
  return positiveModulo(dayNumber(seconds) + 4, 7);
}

export function hour(seconds: number): number {
  return Math.floor(positiveModulo(wholeSeconds(seconds), secondsPerDay) / 3600);
}

export function minute(seconds: number): number {
  return Math.floor(positiveModulo(wholeSeconds(seconds), 3600) / 60);
}

function positiveModulo(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}
