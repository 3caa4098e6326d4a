import { useEffect, useState, type RefObject } from 'react'

const spare = 12 // rows beyond what is seen, on either side

// useWindow is the range of rows, all of one height, that a scrolling box shows: [from, to).
export function useWindow(box: RefObject<HTMLElement | null>, count: number, height: number, head = 0): [number, number] {
  const [range, set] = useState<[number, number]>([0, 60])
  useEffect(() => {
    const el = box.current
    if (!el) return
    const look = () => {
      const from = Math.max(0, Math.floor((el.scrollTop - head) / height) - spare)
      const to = Math.ceil((el.scrollTop + el.clientHeight) / height) + spare
      set((old) => (old[0] === from && old[1] === to ? old : [from, to]))
    }
    look()
    el.addEventListener('scroll', look, { passive: true })
    const sized = new ResizeObserver(look)
    sized.observe(el)
    return () => { el.removeEventListener('scroll', look); sized.disconnect() }
  }, [box, count, height, head])
  return [Math.min(range[0], Math.max(0, count - 1)), Math.min(count, range[1])]
}
