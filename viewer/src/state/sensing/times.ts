/** Moments as the city's clocks write them. Pure; the zone is an argument. */

const MINUTE = 60_000;

/** "2026-11-23 14:05" in the zone. Swedish writes dates as ISO 8601 does. */
export function dayAndTime(time: number, zone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(time);
}

/** "14:05", with the month and day before it ("11-22 14:05") unless they are today's. */
export function shortTime(time: number, zone: string, now: number): string {
  const [day = '', clock = ''] = dayAndTime(time, zone).split(' ');
  return dayAndTime(now, zone).startsWith(day) ? clock : `${day.slice(5)} ${clock}`;
}

/** What a field of date and time holds. */
export function toField(time: number, zone: string): string {
  return dayAndTime(time, zone).replace(' ', 'T');
}

/** The moment that a field means in the zone; null for none. Of an hour that a clock repeats, the first. */
export function fromField(text: string, zone: string): number | null {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return null;
  // The offset is that of the moment sought, which is known but for a change of the clock: twice is enough.
  const once = wall - offset(wall, zone);
  return wall - offset(once, zone);
}

function offset(time: number, zone: string): number {
  const whole = Math.floor(time / MINUTE) * MINUTE;
  return Date.parse(`${toField(whole, zone)}Z`) - whole;
}
