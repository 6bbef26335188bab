/** Which states of a result a moment lies between, and how the clock goes on. Pure. */

/** Milliseconds that a run takes to be played at the speed 1. */
export const PLAYED_MS = 24_000;
/** Of single vehicles: so many times as fast as they drive, lest they only flicker. */
export const HASTE = 10;
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

/** The moment after so many milliseconds of playing, all of which lasts so long; it ends at the last state. */
export function played(times: readonly number[], moment: number, elapsed: number, speed: number, lasting = PLAYED_MS): number {
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  return Math.min(last, moment + ((last - first) * elapsed * speed) / lasting);
}

/** The state before or after a moment. */
export function stepped(times: readonly number[], moment: number, direction: 1 | -1): number {
  const found = direction > 0 ? times.find((time) => time > moment + 1) : times.findLast((time) => time < moment - 1);
  return found ?? (direction > 0 ? (times.at(-1) ?? moment) : (times[0] ?? moment));
}

/** How far a run was at a time, in hundredths. */
export interface Mark {
  readonly at: number;
  readonly progress: number;
}

/** What is looked back on, and the least that says something, milliseconds. */
const [WINDOW_MS, TELLING_MS] = [120_000, 10_000];

/** The marks that its present pace goes by, with a further one. A leap is another kind of work, with a pace of its own. */
export function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const last = marks.at(-1);
  if (!last || mark.progress < last.progress || mark.progress > last.progress + 1) return [mark];
  if (mark.progress === last.progress) return marks;
  return [...marks.filter(({ at }) => at > mark.at - WINDOW_MS), mark];
}

/** Milliseconds that a run still takes at its present pace; null while that is not known. */
export function timeLeft(marks: readonly Mark[], now: number): number | null {
  const [first, last] = [marks[0], marks.at(-1)];
  if (!first || !last || last.at - first.at < TELLING_MS || last.progress === first.progress) return null;
  const pace = (last.at - first.at) / (last.progress - first.progress);
  return Math.max(0, pace * (100 - last.progress) - (now - last.at));
}
