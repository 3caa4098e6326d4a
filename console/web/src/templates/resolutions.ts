// What becomes of the conflicts of an update.
import type { Conflict } from '../api/templates'

export interface Take { take: 'edited' | 'new' | 'value'; text: string }

// keyOf names a conflict as the answer names it.
export const keyOf = (c: Conflict) => JSON.stringify([c.step_id, c.path])

// resolutionsOf is the list that the update sends, as JSON text; null while a value is not JSON.
// What is kept needs no resolution.
export function resolutionsOf(takes: Map<string, Take>): string | null {
  const list: string[] = []
  for (const [key, t] of takes) {
    if (t.take === 'edited') continue
    const [step, path] = JSON.parse(key) as [string | null, string]
    const place = `${step === null ? '' : `"step_id":${JSON.stringify(step)},`}"path":${JSON.stringify(path)}`
    if (t.take === 'new') list.push(`{${place},"take":"new"}`)
    else {
      try {
        JSON.parse(t.text)
      } catch {
        return null
      }
      list.push(`{${place},"take":"value","value":${t.text}}`)
    }
  }
  return `[${list.join(',')}]`
}
