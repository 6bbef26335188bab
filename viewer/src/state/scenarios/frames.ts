/** Which states of a result a moment lies between, and how the clock goes on. Pure. */

/** Milliseconds that a run takes to be played at the speed 1. */
export const PLAYED_MS = 24_000;
export const SPEEDS = [0.5, 1, 2, 4] as const;

export interface Between {
  /** Index of the state that holds, and of the next one. */
  readonly from: number;
  readonly to: number;
  /** 0 at the one, towards 1 at the next. */
  readonly part: number;
}

/** times: growing, milliseconds since 1970. Before the first state it is the first, after its last the last. */
export function between(times: readonly number[], moment: number): Between {
  const next = times.findIndex((time) => time > moment);
  if (next === 0 || times.length === 0) return { from: 0, to: 0, part: 0 };
  if (next < 0) return { from: times.length - 1, to: times.length - 1, part: 0 };
  const [from = 0, to = 1] = [times[next - 1], times[next]];
  return { from: next - 1, to: next, part: (moment - from) / (to - from) };
}

/** The moment after so many milliseconds of playing; it ends at the last state. */
export function played(times: readonly number[], moment: number, elapsed: number, speed: number): number {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return Math.min(last, moment + ((last - first) * elapsed * speed) / PLAYED_MS);
}

/** The state before or after a moment. */
export function stepped(times: readonly number[], moment: number, direction: 1 | -1): number {
  const found = direction > 0 ? times.find((time) => time > moment + 1) : times.findLast((time) => time < moment - 1);
  return found ?? (direction > 0 ? (times.at(-1) ?? moment) : (times[0] ?? moment));
}

/** Milliseconds that a run still takes, by what it has done so far; null while that says nothing. */
export function timeLeft(started: number | null, now: number, progress: number): number | null {
  if (started === null || progress < 2 || progress >= 100) return null;
  return Math.max(0, ((now - started) / progress) * (100 - progress));
}
