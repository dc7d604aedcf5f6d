import Type from 'typebox'
import { expect, test } from 'vitest'
import { AppError } from '../kernel/errors.ts'
import { operation } from '../kernel/operation.ts'
import { Closed, Enum, Id, Nullable } from '../kernel/schema.ts'
import { gatherInput } from './input.ts'

const op = operation({
  id: 'things.list',
  kind: 'query',
  summary: 'List things',
  scope: null,
  roles: ['anonymous'],
  http: { method: 'GET', path: '/sites/{site_id}/things/' },
  input: Closed({
    site_id: Id,
    is_active: Type.Optional(Type.Boolean()),
    weight: Type.Optional(Type.Number()),
    parent_id: Type.Optional(Nullable(Id)),
    status: Type.Optional(Type.Array(Enum(['open', 'closed']))),
    ids: Type.Optional(Type.Array(Id)),
    q: Type.Optional(Type.String()),
    fields: Type.Optional(Type.Object({})),
  }),
  output: Type.Null(),
  example: { input: { site_id: 1 } },
  run: async () => null,
})
const gather = (query: Record<string, string | string[]>, body?: unknown) =>
  gatherInput(op, { tenant: 'demo', site_id: '7' }, query, body)

test('texts of path and query become what the schema says', () => {
  expect(gather({ is_active: 'false', weight: '-1.5', parent_id: 'null', q: '12', fields: '{"a":1}' })).toEqual({
    site_id: 7,
    is_active: false,
    weight: -1.5,
    parent_id: null,
    q: '12',
    fields: { a: 1 },
  })
  expect(gather({ parent_id: '3' })).toMatchObject({ parent_id: 3 })
})

test('a repeated key is an array, and a single one too where an array is meant', () => {
  expect(gather({ ids: ['1', '2'], status: 'open' })).toMatchObject({ ids: [1, 2], status: ['open'] })
})

test.each([['12abc'], ['1e3'], ['0x10'], [''], [' 1'], ['NaN']])(
  '%j is not a number: it stays text for validation to refuse',
  (text) => {
    expect(gather({ weight: text })).toMatchObject({ weight: text })
  },
)

test('unknown names reach validation, names given twice are refused', () => {
  expect(gather({ nonsense: 'x' })).toMatchObject({ nonsense: 'x' })
  expect(() => gather({ site_id: '8' })).toThrow(AppError)
  expect(() => gather({ q: 'a' }, { q: 'b' })).toThrow(AppError)
})

test.each([[[]], ['text'], [3], [true]])('a body that is not an object is refused: %j', (body) => {
  expect(() => gather({}, body)).toThrow(AppError)
})
