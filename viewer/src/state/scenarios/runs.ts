/** Scenarios that can be run, runs that are known, and the run that is open. */

import { computed, effect, signal } from '@preact/signals';
import { isAbort, ServerRefused } from '../../api/client';
import { followStream } from '../../api/event_stream';
import { authorization, dismissJob, eventsAddress, execute, getJob, getJobs, getProcesses, type Job, type Process, type ResultLayer } from '../../api/scenarios';
import type { Attributes } from '../../api/documents';
import { city } from '../session';
import { field, update, view } from '../store';
import { askToken, forgetToken, token } from '../token';
import type { ScenarioView } from './view';

const root = computed(() => city.value?.root);
const scenario = field('scenario');
const openId = computed(() => scenario.value.run);
const otherId = computed(() => scenario.value.other);

export const processes = signal<readonly Process[] | null>(null);
export const jobs = signal<readonly Job[]>([]);
/** Why what was asked for last did not come; null while all came. */
export const failure = signal<string | null>(null);
export const run = signal<Job | null>(null);
/** The run beside it. */
export const other = signal<Job | null>(null);

/** Layers that a result without rasters opens with. */
const OPENING: ReadonlySet<string> = new Set(['change', 'closed']);

/** What nobody plans with. */
const TRIALS: ReadonlySet<string> = new Set(['echo']);

export const offered = computed(() => processes.value?.filter((process) => !TRIALS.has(process.id)) ?? null);

/** The layer whose values lie on the map; null: none of them does. */
export const raster = computed<ResultLayer | null>(() => {
  const layers = run.value?.twin.layers.filter((layer) => layer.kind === 'raster') ?? [];
  const { roles } = scenario.value;
  return (roles === null ? layers[0] : layers.find((layer) => roles.includes(layer.role))) ?? null;
});

/** The same layer of the run beside it. */
export const otherRaster = computed<ResultLayer | null>(() => other.value?.twin.layers.find((layer) => layer.role === raster.value?.role) ?? null);

/** The layers of objects on the map. */
export const vectors = computed<readonly ResultLayer[]>(() => {
  const layers = run.value?.twin.layers.filter((layer) => layer.kind === 'vector') ?? [];
  const { roles } = scenario.value;
  // A result without rasters opens with what changes, or with its first objects.
  const bare = raster.value === null && roles === null;
  const telling = layers.filter((layer) => OPENING.has(layer.role));
  return bare ? (telling.length > 0 ? telling : layers.slice(0, 1)) : layers.filter((layer) => roles?.includes(layer.role));
});

/** The city as it is beside the city as it would be: two layers of one run. */
const AS_IT_IS: Readonly<Record<string, string>> = { traffic: 'usual' };

/** Whether the run holds the city as it is, to be set beside what it would be. */
export function tellsBefore(job: Job): boolean {
  return job.twin.layers.some(({ role }) => Object.values(AS_IT_IS).includes(role));
}

/** The same layers of objects of the run beside it; of the same run, those of the city as it is. None where values are compared. */
export const otherVectors = computed<readonly ResultLayer[]>(() => {
  const [own, job] = [run.value, other.value];
  if (!own || !job || raster.value) return [];
  const roles = vectors.value.map(({ role }) => (own.jobID === job.jobID ? AS_IT_IS[role] : role));
  return job.twin.layers.filter(({ role }) => roles.includes(role));
});

/** Sets another run beside the open one, or the city as it is; null: none. Lines of traffic are compared by their volumes. */
export function setBeside(id: string | null): void {
  const { roles } = scenario.peek();
  const compared = id !== null && roles === null && run.peek()?.twin.layers.some(({ role }) => role in AS_IT_IS);
  changeScenario({ other: id, ...(compared ? { roles: [...Object.keys(AS_IT_IS), 'closed'] } : {}) });
}

/** All moments that the shown layers have, milliseconds since 1970. */
export const times = computed<readonly number[]>(() => {
  const layers = [run.value, other.value].flatMap((job) => job?.twin.layers ?? []);
  const rasters = layers.filter((layer) => layer.kind === 'raster' && layer.times.length > 0);
  // Objects come and go at moments of their own: those of the values on the map are the run's.
  const told = (rasters.length > 0 ? rasters : layers).flatMap((layer) => layer.times);
  return [...new Set(told.map((time) => Date.parse(time)))].sort((a, b) => a - b);
});

/** What a run was asked for, with the hour it began at where that was left to the server: asked again, it is the same hour. */
export function askedOf({ twin: { inputs, layers } }: Job): Attributes {
  const [began] = layers.flatMap(({ times }) => times).sort((a, b) => Date.parse(a) - Date.parse(b));
  const start = inputs['start'] ?? began;
  return 'start' in inputs && typeof start === 'string' ? { ...inputs, start: new Date(start).toISOString() } : inputs;
}

export function isOver({ status }: Job): boolean {
  return status === 'successful' || status === 'failed' || status === 'dismissed';
}

export function changeScenario(patch: Partial<ScenarioView>): void {
  update({ scenario: { ...view.peek().scenario, ...patch } });
}

export function openRun(id: string | null): void {
  changeScenario({ run: id, roles: null, other: null });
}

/** Shows a raster in place of the one that is shown, or a layer of objects beside the others; or takes it away. */
export function showLayer(layer: ResultLayer, on: boolean): void {
  const shown = [raster.peek(), ...vectors.peek()].flatMap((each) => (each ? [each.role] : []));
  const rasters = run.peek()?.twin.layers.filter((each) => each.kind === 'raster').map((each) => each.role) ?? [];
  const kept = shown.filter((role) => role !== layer.role && !(layer.kind === 'raster' && rasters.includes(role)));
  changeScenario({ roles: on ? [...kept, layer.role] : kept });
}

/** Follows what the view asks for; in force once a person has been at the scenarios. */
export function startScenarios(): () => void {
  const stops = [
    effect(() => (root.value === undefined ? undefined : asking((signal) => readLists(root.value ?? '', signal)))),
    following(openId, (job) => (run.value = job)),
    following(otherId, (job) => (other.value = job)),
  ];
  return () => stops.forEach((stop) => stop());
}

async function readLists(at: string, signal: AbortSignal): Promise<void> {
  // Asked again when a token has come or gone.
  token.value;
  const [known, asked] = await Promise.all([getProcesses(at, signal), getJobs(at, signal)]);
  processes.value = known;
  jobs.value = asked;
}

/** Asks anew which runs there are. */
export function refreshJobs(): void {
  const at = root.peek();
  if (at !== undefined) void getJobs(at, new AbortController().signal).then((found) => (jobs.value = found), note);
}

/** Keeps a job of the view as the server has it, until it is over. */
function following(id: { readonly value: string | null }, take: (job: Job | null) => void): () => void {
  return effect(() => {
    const [at, wanted] = [root.value, id.value];
    token.value;
    take(null);
    if (at === undefined || wanted === null) return;
    return asking(async (signal) => {
      const job = await getJob(at, wanted, signal);
      if (signal.aborted) return;
      take(job);
      if (!isOver(job)) follow(at, wanted, take, signal);
    });
  });
}

function follow(at: string, id: string, take: (job: Job) => void, signal: AbortSignal): void {
  const own = new AbortController();
  signal.addEventListener('abort', () => own.abort());
  const told = (job: Job): void => {
    if (own.signal.aborted) return;
    take(job);
    jobs.value = [job, ...jobs.peek().filter((each) => each.jobID !== job.jobID)].sort((a, b) => b.created.localeCompare(a.created));
    if (isOver(job)) own.abort();
  };
  const follower = {
    onMessage: ({ event, data }: { event: string; data: string }) => event === 'status' && told(JSON.parse(data) as Job),
    // A stream that a proxy holds back is no reason to know nothing.
    onConnected: (stands: boolean) => void (!stands && getJob(at, id, own.signal).then(told, () => undefined)),
  };
  void followStream(eventsAddress(at, id), follower, own.signal, authorization());
}

/** Runs a scenario, once there is a token, and opens the run; the reason where it was refused. */
export function start(process: string, inputs: Attributes, begun: () => void, refused: (reason: string) => void): void {
  if (token.peek() === null) return askToken(() => start(process, inputs, begun, refused));
  execute(root.peek() ?? '', process, inputs, view.peek().date).then(
    (job) => {
      jobs.value = [job, ...jobs.peek()];
      openRun(job.jobID);
      begun();
    },
    (error: unknown) => {
      if (error instanceof ServerRefused && error.status === 401) forgetToken();
      refused(reason(error));
    },
  );
}

/** Ends a run, or removes one that is over with all that it gave. */
export function dismiss(job: Job): void {
  if (token.peek() === null) return askToken(() => dismiss(job));
  dismissJob(root.peek() ?? '', job.jobID).then(() => {
    if (!isOver(job)) return refreshJobs();
    // Its results go in the server's own time; it is gone from here at once.
    jobs.value = jobs.peek().filter(({ jobID }) => jobID !== job.jobID);
    openRun(null);
  }, note);
}

function asking(ask: (signal: AbortSignal) => Promise<void>): () => void {
  const abort = new AbortController();
  failure.value = null;
  ask(abort.signal).catch((error: unknown) => !isAbort(error) && note(error));
  return () => abort.abort();
}

function note(error: unknown): void {
  failure.value = reason(error);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
