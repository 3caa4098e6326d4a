import type { Outcome } from '../api/schedules'
import { Icon } from '../ui/Icon'

// What became of a due time: a word, a colour and a shape of its own for each.
const looks: Record<string, { word: string; tone: string; shape: string }> = {
  fired: { word: 'Fired', tone: 'green', shape: 'check' },
  late: { word: 'Late', tone: 'amber', shape: 'late' },
  caught_up: { word: 'Caught up', tone: 'amber', shape: 'again' },
  coalesced: { word: 'Coalesced', tone: 'grey', shape: 'join' },
  skipped: { word: 'Skipped', tone: 'red', shape: 'slash' },
  waiting: { word: 'Waiting', tone: 'violet', shape: 'clock' },
  due: { word: 'Due', tone: 'line', shape: 'ring' },
}

export const wordOf = (outcome: Outcome | 'due' | string) => looks[outcome]?.word ?? outcome

export function OutcomeChip({ outcome }: { outcome: string }) {
  const look = looks[outcome] ?? { word: outcome, tone: 'grey', shape: 'dot' }
  return <span className={`chip tone-${look.tone}`}><Icon shape={look.shape} />{look.word}</span>
}

// Count is how many due times of a day ended so; the word is for screen readers and the pointer.
export function Count({ outcome, n }: { outcome: string; n: number }) {
  const look = looks[outcome] ?? { word: outcome, tone: 'grey', shape: 'dot' }
  return <span className={`count tone-${look.tone}`} title={`${n} ${look.word.toLowerCase()}`}><Icon shape={look.shape} />{n}<span className="sr"> {look.word.toLowerCase()}</span></span>
}
