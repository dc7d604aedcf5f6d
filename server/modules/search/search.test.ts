import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Actor } from '../../kernel/access.ts'
import type { Runtime } from '../../kernel/execute.ts'
import { aTenant, type TenantFixture } from '../../test/factories.ts'
import { testDatabase, type TestDatabase } from '../../test/harness.ts'
import { caller, testRuntime } from '../../test/runtime.ts'
import { operations } from '../index.ts'
import { takeInAll } from './feed/take-in.ts'
import { fold } from './fold.ts'
import type { Hit } from './schema.ts'
import { searchServer, useSearch } from './server.ts'
import { LoopbackSearchServer } from '../../test/opensearch.ts'

let base: TestDatabase
let runtime: Runtime
beforeAll(async () => {
  base = await testDatabase()
  runtime = testRuntime(base.db)
})

test('database and program fold every text alike', async () => {
  const texts = [
    'Éléonore Sœur-Haddād, née Öztürk',
    'STRASSE straße Łódź İstanbul ıssız Đorđe Ærø',
    'مُحَمَّدٌ أحمد إبراهيم آدم ٱلله مصطفى فاطمة عليّ ـــهاني گل پارس یک ٠١٢٣۴۵۶',
    'ﷲ ﻻ ﬁne ½ ① ｆｕｌｌ ２０２６',
    "d’Évry d'Évry ʼ jean—pierre a/b;c،د؟ «x» x\ty\nz",
    'Ивано́в Ёлка Ελλάδα 東京 👩‍⚕️ 🙂',
    '   ',
    ...Array.from({ length: 0x600 / 64 }, (_, i) =>
      String.fromCodePoint(...Array.from({ length: 64 }, (_, j) => 0xa0 + i * 64 + j)),
    ),
  ]
  const rows = await base.owner<{ folded: string }>(
    'select app.fold(t) as folded from unnest($1::text[]) with ordinality as t(t, n) order by n',
    [texts],
  )
  expect(rows.map(({ folded }) => folded)).toEqual(texts.map(fold))
})

/** What is promised of both: the same cases, found by the database and by a search server. */
describe.each(['postgresql', 'opensearch'] as const)('%s', (engine) => {
  const opensearch = new LoopbackSearchServer()
  let bank: TenantFixture
  let other: TenantFixture
  let as: ReturnType<typeof caller>
  const people: Record<string, number> = {}
  afterAll(async () => {
    if (engine !== 'opensearch') return
    await useSearch(undefined)
    await opensearch.close()
  })

  const find = async (q: string, actor: Actor = bank.admin, input: object = {}): Promise<Hit[]> => {
    if (engine === 'opensearch') {
      await takeInAll(base.db, searchServer()!, [bank.tenant, other.tenant], (error) => {
        throw error
      })
      await searchServer()!.refresh()
    }
    const tenant = actor.tenantId === other.tenant.id ? other.tenant : bank.tenant
    const answer = await as(actor, tenant)('search.query', { q, ...input })
    if (answer.results.length > 0) expect(answer.engine).toBe(engine)
    return answer.results
  }
  const names = async (q: string, actor?: Actor) =>
    (await find(q, actor, { kind: ['customer'] })).map(({ title }) => title)

  beforeAll(async () => {
    if (engine === 'opensearch') await useSearch(await opensearch.listen())
    as = caller(runtime, operations)
    bank = await aTenant(base.owner, { sites: 2, queues: 2 })
    other = await aTenant(base.owner)
    const create = as(bank.admin, bank.tenant)
    for (const person of [
      { name: 'Éléonore Lefèvre-Dûpont', email: 'eleonore@example.org' },
      { name: 'Samira Haddad', phone: '+33612345678', note: 'préfère le guichet bas' },
      { name: 'محمّد عبد الله', external_id: 'crm-77' },
      { name: 'فاطمة الزهراء' },
      { name: 'Mohamed Martin' },
      { name: 'Jean Martineau' },
    ])
      people[person.name] = (await create('customers.create', person)).id
    await as(other.admin, other.tenant)('customers.create', { name: 'Samira Haddad' })
  })

  describe('people', () => {
    test.each([
      ['accents left out', 'eleonore lefevre dupont', 'Éléonore Lefèvre-Dûpont'],
      ['beginnings of words, in any order', 'dup éléo', 'Éléonore Lefèvre-Dûpont'],
      ['a letter too few', 'samira hadad', 'Samira Haddad'],
      ['a letter wrong', 'eleonora lefevre', 'Éléonore Lefèvre-Dûpont'],
      ['two letters changed round', 'smaira', 'Samira Haddad'],
      ['an e-mail', 'eleonore@example.org', 'Éléonore Lefèvre-Dûpont'],
      ['a phone as people write it', '06 12 34 56 78', 'Samira Haddad'],
      ['the end of a phone', '345678', 'Samira Haddad'],
      ['a phone in Arabic-Indic digits', '٠٦١٢٣٤٥٦٧٨', 'Samira Haddad'],
      ['a word of a note', 'guichet', 'Samira Haddad'],
      ['an outside key', 'CRM-77', 'محمّد عبد الله'],
      ['Arabic without its signs', 'محمد عبدالله', 'محمّد عبد الله'],
      ['Arabic with signs and tatweel', 'مُحَمَّـــد', 'محمّد عبد الله'],
      ['ta marbuta as ha', 'فاطمه', 'فاطمة الزهراء'],
      ['alef with a hamza', 'ألزهراء', 'فاطمة الزهراء'],
    ])('%s', async (_, q, name) => {
      expect((await names(q))[0]).toBe(name)
    })

    test('whole words come before their beginnings, and these before what resembles', async () => {
      expect(await names('martin')).toEqual(['Mohamed Martin', 'Jean Martineau'])
      const [whole, beginning] = await find('martin')
      expect([whole!.score, beginning!.score]).toEqual([1, 0.9])
    })

    test('what nothing resembles finds nothing, and nothing that was typed is an operator', async () => {
      expect(await find('zzyzx')).toEqual([])
      for (const q of ['%', '_', "' | '", "a':* & !b", '\\', '(', '!!', ':*', 'é"', '((()))', '&', '٪'])
        expect(Array.isArray(await find(q))).toBe(true)
      expect(await names("samira' | 'martin")).not.toContain('Jean Martineau')
    })

    test('nobody of another tenant is found', async () => {
      expect((await find('samira haddad', other.admin)).map(({ id }) => id)).not.toContain(people['Samira Haddad'])
      expect(await find('samira haddad', other.admin)).toHaveLength(1)
      expect(await find('dupont', other.admin)).toEqual([])
    })

    test('who changes is found as they are now', async () => {
      const admin = as(bank.admin, bank.tenant)
      const { id } = await admin('customers.create', { name: 'Ancien Patronyme' })
      await admin('customers.update', { id, name: 'Nouveau Patronyme' })
      expect(await names('nouveau patronyme')).toEqual(['Nouveau Patronyme'])
      await admin('customers.delete', { id })
      expect(await names('nouveau patronyme')).toEqual([])
    })
  })

  describe('visits', () => {
    let number: string
    let here: number
    let there: number
    beforeAll(async () => {
      here = bank.queues[0]!.id
      there = bank.queues.find(({ site_id }) => site_id === bank.sites[1]!.id)!.id
      const admin = as(bank.admin, bank.tenant)
      const take = (queue_id: number, more: object = {}) =>
        admin('tickets.take', { queue_id, channel: 'reception', ...more })
      number = (await take(here, { customer_id: people['Samira Haddad'] })).number
      await take(there, { customer_id: people['Mohamed Martin'] })
      const { id } = await take(here)
      await admin('tickets.update', { id, note: 'Fauteuil roulant à l’entrée', labels: ['urgent-visa'] })
    })

    test('by number, in any spelling, and by the person', async () => {
      for (const q of [number, number.toLowerCase(), number.replace(/(\D)/, '$1 '), number.slice(1)])
        expect((await find(q, bank.admin, { kind: ['ticket'] })).map(({ title }) => title)).toContain(number)
      const hits = await find('samira')
      expect(hits.map(({ kind }) => kind)).toEqual(['customer', 'ticket'])
      expect(hits[1]).toMatchObject({
        title: number,
        detail: 'Samira Haddad',
        status: 'en_attente',
        queue_id: here,
        customer_id: people['Samira Haddad'],
      })
    })

    test('by words of a note and of labels', async () => {
      for (const q of ['fauteuil', 'roul', 'entree', 'visa', 'urgent visa'])
        expect((await find(q)).map(({ kind }) => kind)).toEqual(['ticket'])
    })

    test('who is limited to a site or a queue finds what the lists show there', async () => {
      const [agent] = bank.agentActors
      const ofSite: Actor = { ...bank.supervisor, siteIds: [bank.sites[0]!.id] }
      const ofQueue: Actor = { ...agent!, queueIds: [bank.queues[1]!.id] }
      expect((await find('samira', ofSite)).map(({ kind }) => kind)).toEqual(['customer', 'ticket'])
      expect(await names('mohamed martin', ofSite)).not.toContain('Mohamed Martin')
      expect(await find('samira', ofQueue)).toEqual([])
      expect(await find('visa', ofQueue)).toEqual([])
      expect(await find(number, ofQueue)).toEqual([])
      // Who has been nowhere yet may be anybody's.
      expect(await names('dupont', ofQueue)).toHaveLength(1)
      for (const actor of [ofSite, ofQueue]) {
        const listed = (await as(actor, bank.tenant)('customers.list', { limit: 200 })).results
        const known = new Set(listed.map(({ id }: { id: number }) => id))
        for (const q of ['samira', 'martin', 'dupont', 'mohamed'])
          for (const { id } of await find(q, actor, { kind: ['customer'] })) expect(known).toContain(id)
      }
    })

    test('a key that does not read customers learns no name', async () => {
      const key: Actor = { ...bank.apiKey, scopes: new Set(['read:ticket']) }
      expect(await find('samira', key)).toEqual([])
      expect((await find(number, key)).map(({ kind, detail }) => [kind, detail])).toEqual([
        ['ticket', ''],
        ['ticket', ''],
      ])
    })

    test('kiosks, displays and strangers do not search', async () => {
      for (const actor of [bank.kiosk, bank.display])
        await expect(find('samira', actor)).rejects.toMatchObject({ code: 'forbidden' })
      await expect(find('samira', bank.anonymous)).rejects.toMatchObject({ code: 'unauthorized' })
    })

    test('what is erased is not found', async () => {
      const admin = as(bank.admin, bank.tenant)
      const { id } = await admin('customers.create', { name: 'Oublie Moi', phone: '0698765432' })
      const ticket = await admin('tickets.take', { queue_id: here, channel: 'reception', customer_id: id })
      await admin('tickets.update', { id: ticket.id, note: 'canari' })
      await admin('tickets.cancel', { id: ticket.id })
      expect(await find('oublie moi')).toHaveLength(2)
      await admin('privacy.erase', { id })
      for (const q of ['oublie moi', '0698765432', 'canari']) expect(await find(q)).toEqual([])
    })
  })
})
