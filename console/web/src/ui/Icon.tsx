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
  pause: 'M6 3.5v9M10 3.5v9',
}

export function Icon({ shape }: { shape: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[shape] ?? shapes['dot']} fill={shape === 'dot' ? 'currentColor' : 'none'} />
    </svg>
  )
}
