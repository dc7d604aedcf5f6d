/** Outlines in a square of 24, drawn with a stroke of 2 (after Lucide, ISC licence). `mirror`: turns around in Arabic. */
export const ICONS = {
  clock: { path: 'M12 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18zM12 7v5l3.5 2' },
  bell: { path: 'M6 9a6 6 0 0 1 12 0c0 6 2.5 7 2.5 8h-17c0-1 2.5-2 2.5-8M10 21h4' },
  person: { path: 'M12 4a4 4 0 1 1 0 8a4 4 0 1 1 0-8zM4 21a8 8 0 0 1 16 0' },
  people: {
    path: 'M9 5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7zM2 20a7 7 0 0 1 14 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.5a7 7 0 0 1 4 5.5',
  },
  pause: { path: 'M12 3a9 9 0 1 1 0 18a9 9 0 1 1 0-18zM10 9v6M14 9v6' },
  arrows: { path: 'M4 8h14l-4-4M20 16H6l4 4', mirror: true },
  missed: { path: 'M12 4a4 4 0 1 1 0 8a4 4 0 1 1 0-8zM4 21a8 8 0 0 1 9-8M16 16l5 5M21 16l-5 5' },
  cross: { path: 'M6 6l12 12M18 6L6 18' },
  check: { path: 'M5 13l4.5 4.5L19 7' },
  calendar: { path: 'M5 5h14a1 1 0 0 1 1 1v14H4V6a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4' },
  next: { path: 'M9 5l7 7l-7 7', mirror: true },
  back: { path: 'M15 5l-7 7l7 7', mirror: true },
  down: { path: 'M6 9l6 6l6-6' },
  offline: { path: 'M3 3l18 18M9 16.5a4.5 4.5 0 0 1 6 0M5 12.5a10 10 0 0 1 5-2.7M14 10a10 10 0 0 1 5 2.5M12 20h.01' },
  mute: { path: 'M4 10v4h4l5 4V6l-5 4zM17 10l4 4M21 10l-4 4' },
  phone: { path: 'M8 2h8a1 1 0 0 1 1 1v18a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V3a1 1 0 0 1 1-1zM11 18h2' },
  search: { path: 'M11 4a7 7 0 1 1 0 14a7 7 0 1 1 0-14zM16.5 16.5L21 21' },
  note: { path: 'M5 4h14v16H5zM8.5 9h7M8.5 13h7M8.5 17h4' },
  key: { path: 'M8 9a4 4 0 1 1 0 8a4 4 0 1 1 0-8zM11 10.5L20 4M16 7l3 4' },
  grid: { path: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z' },
  chart: { path: 'M4 20h16M7 16v-5M12 16V6M17 16v-8' },
  alert: { path: 'M12 3L2 20h20zM12 9.5v5M12 17.5h.01' },
  sliders: {
    path: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5zM8 14.5a2.5 2.5 0 1 1 0 5a2.5 2.5 0 1 1 0-5z',
  },
  code: { path: 'M8 6l-6 6l6 6M16 6l6 6l-6 6' },
  layers: { path: 'M12 3l9 5l-9 5l-9-5zM3 13l9 5l9-5' },
} as const satisfies Record<string, { path: string; mirror?: boolean }>
export type IconName = keyof typeof ICONS
