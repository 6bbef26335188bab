/** The vehicles of the run that is open and of the one beside it: read once, on the map unless they are switched off. */

import { effect, signal, type Signal } from '@preact/signals';
import { isAbort } from '../../api/client';
import { fileAddress, getFile, type Job } from '../../api/scenarios';
import { city } from '../session';
import { failure, other, run } from './runs';
import { readTracks, type Tracks, type TracksFile } from './tracks';

const FILE = 'vehicles.json';

export const tracks = signal<Tracks | null>(null);
export const otherTracks = signal<Tracks | null>(null);
export const driving = signal(true);

/** Reads them as runs are opened. */
export function startVehicles(): () => void {
  const stops = [reading(run, tracks), reading(other, otherTracks)];
  return () => stops.forEach((stop) => stop());
}

function reading(of: Signal<Job | null>, into: Signal<Tracks | null>): () => void {
  let known: string | null = null;
  return effect(() => {
    const job = of.value;
    const root = city.value?.root;
    const wanted = root !== undefined && job?.status === 'successful' && job.twin.files.includes(FILE) ? fileAddress(root, job.jobID, FILE) : null;
    if (wanted === known) return;
    known = wanted;
    into.value = null;
    if (wanted === null) return;
    void getFile(wanted)
      .then((file) => file.text())
      .then(
        (text) => {
          if (known === wanted) into.value = readTracks(JSON.parse(text) as TracksFile);
        },
        (error: unknown) => {
          if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
        },
      );
  });
}
