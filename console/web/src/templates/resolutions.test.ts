import { expect, it } from 'vitest'
import { keyOf, resolutionsOf, type Take } from './resolutions'

const takes = (...list: [string | null, string, Take['take'], string?][]) => new Map(list.map(([step_id, path, take, text]) => [keyOf({ step_id, path }), { take, text: text ?? '' }]))

it('sends what is decided, and values as they were written', () => {
  expect(resolutionsOf(takes(['a', '/config/url', 'new'], ['b"', '', 'edited'], [null, '/name', 'value', '9007199254740993']))).toBe(
    '[{"step_id":"a","path":"/config/url","take":"new"},{"path":"/name","take":"value","value":9007199254740993}]')
  expect(resolutionsOf(takes(['a', '', 'value', '{']))).toBeNull()
  expect(resolutionsOf(new Map())).toBe('[]')
})
