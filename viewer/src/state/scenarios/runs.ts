/** Scenarios that can be run, runs that are known, and the run that is open. */

import { computed, effect, signal } from '@preact/signals';
import { isAbort, ServerRefused } from '../../api/client';
import { followStream } from '../../api/event_stream';
import { authorization, dismissJob, eventsAddress, execute, getJob, getJobs, getProcesses, type Job, type Process, type ResultLayer } from '../../api/scenarios';
import type { Attributes } from '../../api/documents';
import { city } from '../session';
import { field, update, view } from '../store';
import { askToken, forgetToken, token } from '../token';
import { shiftBetween } from './together';
import type { Comparison, ScenarioView } from './view';

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

/** The same layers of objects of the run beside it; of the same run, those of the city as it is. */
export const otherVectors = computed<readonly ResultLayer[]>(() => {
  const [own, job] = [run.value, other.value];
  if (!own || !job) return [];
  const roles = (scenario.value.roles ?? vectors.value.map(({ role }) => role)).map((role) => (own.jobID === job.jobID ? AS_IT_IS[role] : role));
  return job.twin.layers.filter(({ kind, role }) => kind === 'vector' && roles.includes(role));
});

/** Sets another run beside the open one, or the city as it is; null: none. Lines of traffic are compared by their volumes. */
export function setBeside(id: string | null): void {
  const { roles } = scenario.peek();
  const compared = id !== null && roles === null && run.peek()?.twin.layers.some(({ role }) => role in AS_IT_IS);
  changeScenario({ other: id, ...(compared ? { roles: [...Object.keys(AS_IT_IS), 'closed'] } : {}) });
}

/** The layers of traffic of both runs, whose links can be told apart one by one; null: not both have one. */
export const traffics = computed<readonly [ResultLayer, ResultLayer] | null>(() => {
  const [first, second] = [run.value, other.value].map((job) => job?.twin.layers.find(({ role }) => role in AS_IT_IS));
  return first && second && first.id !== second.id ? [first, second] : null;
});

/** Whether the one run can be taken from the other. */
export const canDiffer = computed(() => run.value?.jobID !== other.value?.jobID && (otherRaster.value !== null || traffics.value !== null));

/** How two runs lie on the map; null: there is one alone. */
export const comparing = computed<Comparison | null>(() => {
  if (run.value?.status !== 'successful' || other.value?.status !== 'successful') return null;
  const { comparison } = scenario.value;
  return comparison === 'difference' && !canDiffer.value ? 'swipe' : comparison;
});

/** Milliseconds by which the times of the run beside are later than those that they are shown at. */
export const shift = computed(() => (run.value && other.value ? shiftBetween(run.value, other.value) : 0));

/** All moments that the shown layers have, milliseconds since 1970. */
export const times = computed<readonly number[]>(() => {
  const own = [run.value, other.value].flatMap((job) => job?.twin.layers.map((layer) => ({ ...layer, job })) ?? []);
  const rasters = own.filter((layer) => layer.kind === 'raster' && layer.times.length > 0);
  // Objects come and go at moments of their own: those of the values on the map are the run's.
  const told = (rasters.length > 0 ? rasters : own).flatMap(({ job, times: each }) => each.map((time) => Date.parse(time) - (job === other.value ? shift.value : 0)));
  return [...new Set(told)].sort((a, b) => a - b);
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

/** The layers that can be shown: the open run's, and objects that the run beside has alone. */
export const layersOfBoth = computed<readonly ResultLayer[]>(() => {
  const own = run.value?.twin.layers ?? [];
  const others = other.value?.twin.layers.filter(({ kind, role }) => kind === 'vector' && !own.some((layer) => layer.role === role)) ?? [];
  return [...own, ...others];
});

/** The roles of the layers on the map. */
export const roles = computed<readonly string[]>(() => scenario.value.roles ?? [raster.value, ...vectors.value].flatMap((layer) => (layer ? [layer.role] : [])));

/** Shows a raster in place of the one that is shown, or a layer of objects beside the others; or takes it away. */
export function showLayer(layer: ResultLayer, on: boolean): void {
  const rasters = layersOfBoth.peek().filter((each) => each.kind === 'raster').map((each) => each.role);
  const kept = roles.peek().filter((role) => role !== layer.role && !(layer.kind === 'raster' && rasters.includes(role)));
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
