/** The viewer's icons: 20 x 20 line drawings in the colour of the text beside them. */

const PATHS = {
  search: 'M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM13.5 13.5 17 17',
  close: 'M5 5l10 10M15 5 5 15',
  plus: 'M10 4v12M4 10h12',
  minus: 'M4 10h12',
  north: 'M10 2.5 14 11H6zM10 17.5 6 11h8z',
  home: 'M3.5 9.5 10 4l6.5 5.5M5.5 8.5V16h9V8.5',
  way: 'M5 17a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM15 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 15h5.5a2.5 2.5 0 0 0 0-5h-5a2.5 2.5 0 0 1 0-5H13',
  cube: 'M10 2.5 16.5 6v8L10 17.5 3.5 14V6zM3.5 6 10 9.5 16.5 6M10 9.5v8',
  moon: 'M16 12.2A6.8 6.8 0 0 1 7.8 4 6.8 6.8 0 1 0 16 12.2z',
  link: 'M8.5 11.5a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3L10.5 5.2M11.5 8.5a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l1-1',
  keyboard: 'M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.5h7',
  handle: 'M7.5 5h.01M12.5 5h.01M7.5 10h.01M12.5 10h.01M7.5 15h.01M12.5 15h.01',
  chevron: 'M7 4.5 12.5 10 7 15.5',
  target: 'M10 14a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM10 2v3M10 15v3M2 10h3M15 10h3',
  code: 'M7 6l-4 4 4 4M13 6l4 4-4 4',
  pin: 'M10 17.5c3.5-4 5-6.3 5-9a5 5 0 0 0-10 0c0 2.7 1.5 5 5 9zM10 10a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4.3l2.8 1.7',
  filter: 'M3 4.5h14l-5.5 6.5v5L8.5 14v-3z',
  sum: 'M15 5.5V4H5l5.5 6L5 16h10v-1.5',
  columns: 'M3.5 4h13v12h-13zM8 4v12M12.5 4v12',
  download: 'M10 3v9.5M6 9l4 4 4-4M4 16.5h12',
  pen: 'M4 16l1-4 8.5-8.5 3 3L8 15zM12 5l3 3',
  table: 'M3 4.5h14v11H3zM3 8.5h14M8 8.5v7',
  bell: 'M5.5 14V9a4.5 4.5 0 0 1 9 0v5l1.2 1.5H4.3zM8.5 17.5h3',
  mute: 'M5.5 14V9a4.5 4.5 0 0 1 7-3.7M14.5 10v4l1.2 1.5H6M8.5 17.5h3M3.5 3.5l13 13',
  play: 'M7 4.5 15 10l-8 5.5z',
  pause: 'M7 5v10M13 5v10',
  back: 'M14 5l-6 5 6 5zM6 5v10',
  forth: 'M6 5l6 5-6 5zM14 5v10',
  gauge: 'M3.5 14a6.5 6.5 0 0 1 13 0M10 14l3-4.5',
  warning: 'M10 3 18 16.5H2zM10 8v4M10 14.5h.01',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
