/** The vehicles of the run that is open: read once, on the map unless they are switched off. */

import { effect, signal } from '@preact/signals';
import { isAbort } from '../../api/client';
import { fileAddress, getFile } from '../../api/scenarios';
import { city } from '../session';
import { failure, run } from './runs';
import { readTracks, type Tracks, type TracksFile } from './tracks';

const FILE = 'vehicles.json';

export const tracks = signal<Tracks | null>(null);
export const driving = signal(true);

/** Reads them as runs are opened. */
export function startVehicles(): () => void {
  let known: string | null = null;
  return effect(() => {
    const job = run.value;
    const root = city.value?.root;
    const wanted = root !== undefined && job?.status === 'successful' && job.twin.files.includes(FILE) ? fileAddress(root, job.jobID, FILE) : null;
    if (wanted === known) return;
    known = wanted;
    tracks.value = null;
    if (wanted === null) return;
    void getFile(wanted)
      .then((file) => file.text())
      .then(
        (text) => {
          if (known === wanted) tracks.value = readTracks(JSON.parse(text) as TracksFile);
        },
        (error: unknown) => {
          if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
        },
      );
  });
}
