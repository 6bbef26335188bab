/** Calls for attention: a count in the window's title, a line on the map, and a sound where a person has asked for it. */

import { computed, signal } from '@preact/signals';
import type { CityEvent } from '../../api/sensing';

const KEY = 'twin:sound';

/** Grave events that came while the page was open and nobody has looked at yet, the newest first. */
export const unseen = signal<readonly CityEvent[]>([]);
export const unseenCount = computed(() => unseen.value.length);
/** Whether grave events are heard. Off until it is switched on by hand: browsers allow no sound before a gesture. */
export const sound = signal(false);
/** Whether the sound was on before the page was loaded again: it may be heard from the next gesture on. */
export const soundWanted = signal(localStorage.getItem(KEY) === 'on');

let speaker: AudioContext | null = null;

/** Tells of events that are new; only the grave ones call. */
export function alarm(fresh: readonly CityEvent[]): void {
  const grave = fresh.filter(({ properties }) => properties.state === 'raised' && (properties.severity === 'red' || properties.severity === 'orange'));
  if (grave.length === 0) return;
  unseen.value = [...grave, ...unseen.peek()];
  if (sound.peek()) ring(grave.some(({ properties }) => properties.severity === 'red'));
}

export function seen(id?: number): void {
  unseen.value = id === undefined ? [] : unseen.peek().filter((event) => event.id !== id);
}

/** Switches the sound, by a person's own hand; it is heard once, so that they know it works. */
export function switchSound(on: boolean): void {
  sound.value = on;
  soundWanted.value = on;
  localStorage.setItem(KEY, on ? 'on' : 'off');
  if (on) ring(false);
}

/** Takes the sound up again at the first gesture where it was on before. */
export function recallSound(): void {
  if (!soundWanted.peek()) return;
  const wake = (): void => {
    sound.value = soundWanted.peek();
  };
  document.addEventListener('pointerdown', wake, { once: true });
  document.addEventListener('keydown', wake, { once: true });
}

// Two tones, for red three times: made here, so that no file has to come first.
function ring(urgent: boolean): void {
  speaker ??= new AudioContext();
  void speaker.resume();
  const start = speaker.currentTime + 0.02;
  for (let turn = 0; turn < (urgent ? 3 : 1); turn += 1) {
    tone(speaker, 880, start + turn * 0.5);
    tone(speaker, 660, start + turn * 0.5 + 0.2);
  }
}

function tone(context: AudioContext, frequency: number, at: number): void {
  const [wave, volume] = [context.createOscillator(), context.createGain()];
  wave.frequency.value = frequency;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.19);
  wave.connect(volume).connect(context.destination);
  wave.start(at);
  wave.stop(at + 0.2);
}
