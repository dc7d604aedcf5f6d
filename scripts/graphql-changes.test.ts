import { expect, test } from 'vitest'
import { brokenGraphqlPromises } from './graphql-changes.ts'

const released =
  'type Query { ticket(id: ID!): Ticket } type Ticket { id: ID! number: String! } enum Status { waiting called }'

test('what is added breaks nobody', () =>
  expect(
    brokenGraphqlPromises(
      'type Query { ticket(id: ID!, lang: String): Ticket queue: Int } type Ticket { id: ID! number: String! eta: Int } enum Status { waiting called held }',
      released,
    ),
  ).toEqual([]))

test.each([
  [
    'a field that is gone',
    'type Query { ticket(id: ID!): Ticket } type Ticket { id: ID! } enum Status { waiting called }',
  ],
  ['an argument that became needed', released.replace('id: ID!)', 'id: ID!, lang: String!)')],
  ['an answer that may be null', released.replace('number: String!', 'number: String')],
  ['a value that is gone', released.replace('waiting called', 'waiting')],
])('%s is found', (_, present) => expect(brokenGraphqlPromises(present, released)).toHaveLength(1))

test('the schema keeps what the last release promised', () => expect(brokenGraphqlPromises()).toEqual([]))
