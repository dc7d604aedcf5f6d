import { Validator } from '@seriousme/openapi-schema-validator'
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
