// Shapes of states, drawn in the text's colour. They carry no words: what stands beside
// them does.
const shapes: Record<string, string> = {
  dot: 'M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  slash: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM4 12l8-8',
  ring: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11z',
  half: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 2.5v11',
  again: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2.2 1.6',
  late: 'M2.5 8h10M8.5 4l4 4-4 4',
  join: 'M4 2.5V6a3 3 0 0 0 3 3h6M10 6l3 3-3 3M4 13.5V11',
  pause: 'M6 3.5v9M10 3.5v9',
  home: 'M2.5 7.5L8 3l5.5 4.5V13h-4V9.5h-3V13h-4z',
  flow: 'M3 3h4v3H3zM9 10h4v3H9zM5 6v5.5h4',
  play: 'M5 3.5l7 4.5-7 4.5z',
  hand: 'M4 8.5l2.5 2.5L12 5M2.5 8a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0z',
  grid: 'M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 9h4v4H9z',
  spark: 'M8 2.5l1.4 4.1 4.1 1.4-4.1 1.4L8 13.5 6.6 9.4 2.5 8l4.1-1.4z',
  lock: 'M4 7.5h8V13H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  key: 'M5.5 8a2.5 2.5 0 1 0 0 .1zM8 8h5.5v2.5M11 8v2',
  list: 'M3 4h10M3 8h10M3 12h6',
  gauge: 'M2.5 11a5.5 5.5 0 1 1 11 0M8 11l3-4',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5L14 14',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7',
  right: 'M6 3.5L10.5 8 6 12.5',
  down: 'M3.5 6L8 10.5 12.5 6',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
}

export function Icon({ shape }: { shape: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[shape] ?? shapes['dot']} fill={shape === 'dot' ? 'currentColor' : 'none'} />
    </svg>
  )
}
