import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { operations } from '../modules/index.ts'
import { openApiDocument } from './openapi.ts'
import { routesOf } from './routes.ts'

const document = openApiDocument(operations, { version: '0.0.0' }) as {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>
  components: { schemas: Record<string, unknown> }
}

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document))
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

test('the validator would notice a broken document', async () => {
  const broken = { ...structuredClone(document), paths: { '/x': { get: { responses: 3 } } } }
  expect((await new Validator().validate(broken)).valid).toBe(false)
})

test('every address of every operation is described, each under an id of its own', () => {
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(described.toSorted()).toEqual(
    operations
      .flatMap(routesOf)
      .map(({ method, path }) => `${method} ${path}`)
      .toSorted(),
  )
  const ids = Object.values(document.paths).flatMap((item) => Object.values(item).map((each) => each.operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('every reference leads somewhere', () => {
  const text = JSON.stringify(document)
  for (const [, pointer] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = pointer!.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document)
    expect(target, pointer).toBeDefined()
  }
  expect(text).not.toContain('"$id"')
})

test('I2 every example is what its schema says', () => {
  const ajv = new Ajv2020({ strict: false })
  ;(formats.default as unknown as (ajv: Ajv2020) => void)(ajv)
  ajv.addSchema({ $id: 'openapi', ...document })
  const faultOf = (schema: unknown, example: unknown): string => {
    const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')) as object)
    return check(example) ? '' : JSON.stringify(check.errors?.[0])
  }
  type Described = { schema: unknown; example?: unknown }
  const { requestBodies } = document.components as unknown as {
    requestBodies: Record<string, { content: { 'application/json': Described } }>
  }
  const bodies = Object.entries(requestBodies).map(([id, { content }]) => [id, content['application/json']] as const)
  const parameters = Object.values(document.paths).flatMap((item) =>
    Object.values(
      item as unknown as Record<string, { operationId: string; parameters: (Described & { name?: string })[] }>,
    ).flatMap(({ operationId, parameters: own }) => own.map((each) => [`${operationId}.${each.name}`, each] as const)),
  )
  const examples = [...bodies, ...parameters].filter(([, { example }]) => example !== undefined)
  const faults = examples.flatMap(([name, { schema, example }]) => {
    const fault = faultOf(schema, example)
    return fault ? [`${name}: ${fault}`] : []
  })
  expect(faults).toEqual([])
  expect(examples.length).toBeGreaterThan(300)
  // Control: a queue that is no number.
  expect(faultOf(requestBodies['tickets.take']!.content['application/json'].schema, { queue_id: 'A' })).not.toBe('')
})
