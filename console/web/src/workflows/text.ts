// What somebody pastes to make a workflow of it.

export type Pasted = { kind: 'definition'; format: 'yaml' | 'json' } | { kind: 'export'; count: number }

// recognize says what a text is: lines of an export, or a definition in one of two syntaxes. What
// else it may be, the server's check says.
export function recognize(text: string): Pasted {
  const lines = text.split('\n').filter((l) => l.trim() !== '')
  const isLine = (l: string) => {
    try {
      const o = JSON.parse(l) as { format?: unknown; versions?: unknown } | null
      return typeof o === 'object' && o !== null && o.format === 1 && Array.isArray(o.versions)
    } catch {
      return false
    }
  }
  if (lines.length > 0 && lines.every(isLine)) return { kind: 'export', count: lines.length }
  return { kind: 'definition', format: /^\s*[{[]/.test(text) ? 'json' : 'yaml' }
}

// starter is what stands in the field of a new workflow.
export const starter = `name: My workflow
description: What it is for.
input:
  type: object
  properties:
    amount: { type: number, default: 20 }
steps:
  - id: large
    name: Is it a large amount?
    type: condition
    config:
      expression: input.amount > 10
output:
  large: "{{ steps.large.output.result }}"
`
