/** What a vehicle's colour tells: slower than so many km/h; the last for all others. */
export const PACES = [
  { below: 5, colour: '#e5383b', pace: 'standing' },
  { below: 20, colour: '#f9a03f', pace: 'slow' },
  { below: Infinity, colour: '#2f80ed', pace: 'going' },
] as const;
