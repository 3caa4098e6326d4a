import { expect, it } from 'vitest'
import { slugOf } from './slug'

it('makes slugs that the server takes', () => {
  const cases: [string, string][] = [['First steps', 'first-steps'], ['  Überweisung Nº 7! ', 'uberweisung-no-7'], ['日本', ''], ['_a', 'a'], ['x'.repeat(70), 'x'.repeat(64)], [`${'x'.repeat(63)} y`, 'x'.repeat(63)]]
  for (const [name, want] of cases) expect(slugOf(name)).toBe(want)
})
