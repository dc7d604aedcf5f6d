import sharp from 'sharp'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { aKiosk, type AdminSite } from './admin-site.ts'
import { KIOSK } from './machines.ts'
import { violations } from './site.ts'

/** Half a second of silence that no other clip has. */
function recording(nth: number): Buffer {
  const wav = Buffer.alloc(44 + 800, nth)
  wav.write('RIFF', 0)
  wav.writeUInt32LE(wav.length - 8, 4)
  wav.write('WAVEfmt ', 8)
  return wav
}

/** Forms that no declaration makes: each is filled in and saved, and what it is for happens. Part of the tests of settings. */
export function testForms(site: AdminSite): void {
  const { bank, run, openAs, take, callNext, server, url } = site
  const { admin } = bank
  const site_id = bank.sites[0]!.id
  const said = (page: Page, form: string) => page.locator(form).locator('[role=status]').getByText(/./).waitFor()

  test('prices, quiet hours, words of the voice, another site, the picture and the PIN do what they say', async () => {
    const { page, complaints } = await openAs('admin1@demo.example', '/app/admin/templates')
    const go = (name: string) => page.click(`[data-page=admin-${name}]`)

    // What a text costs stands below what is being written.
    await page.click('[data-prices] summary')
    await page.fill('[data-price=sms] [name=price]', '0,0425')
    await page.fill('[data-price=sms] [name=currency]', 'mad')
    await page.click('[data-price=sms] [type=submit]')
    await said(page, '[data-prices]')
    expect(await violations(page, '[data-prices]')).toEqual([])
    await page.click('[data-new=templates]')
    await page.selectOption('[data-field="/event"] select', 'called')
    await page.selectOption('[data-field="/channel"] select', 'sms')
    await page.selectOption('[data-field="/language"] select', 'fr')
    await page.locator('[data-cost="42500"]').getByText('MAD').waitFor()

    await go('notices')
    await page.click('[data-quiet-hours] summary')
    const quiet = page.locator(`[data-quiet="${site_id}"]`)
    await quiet.locator('[name=starts]').fill('21h30')
    await quiet.locator('[name=ends]').fill('0745')
    await quiet.locator('[type=submit]').click()
    await said(page, '[data-quiet-hours]')
    expect(await violations(page, '[data-quiet-hours]')).toEqual([])
    expect(await run(admin, 'GET', `/sites/${site_id}/quiet-hours/`)).toMatchObject({ starts: '21:30', ends: '07:45' })

    // Recorded words: the call of a wall is made of them.
    const { number } = await take()
    const called = await callNext()
    const display = await run(admin, 'POST', '/displays/', { site_id, name: 'Hall', settings: { languages: ['fr'] } })
    const [, letter, digits] = /^(\D+)0*(\d+)$/.exec(number as string)!
    const words = ['ticket', 'counter', letter!, digits!, ...(digits === '1' ? [] : ['1'])]
    await go('voice')
    await page.selectOption('.admin select', 'fr')
    await page.locator('[data-missing*=ticket]').waitFor()
    await page.setInputFiles('.admin [type=file]', [
      ...words.map((word, n) => ({ name: `${word}.wav`, mimeType: 'audio/wav', buffer: recording(n) })),
      { name: 'Bonjour.wav', mimeType: 'audio/wav', buffer: recording(9) },
    ])
    await page.getByText('Bonjour.wav').waitFor()
    await page.locator(`[data-clip="${digits}"]`).waitFor()
    expect(await violations(page, '.clips')).toEqual([])
    const spoken = async () => {
      const path = `/displays/${display['id']}/announcement/?ticket_id=${called['id']}`
      const { voices } = await run(admin, 'GET', path)
      return (voices[0]?.clips ?? []) as string[]
    }
    const clips = await spoken()
    expect(clips.map((clip) => clip.includes('/voice/own/'))).toEqual(clips.map(() => true))
    expect(clips).toHaveLength(5)
    await page.locator('[data-clip=counter] button').last().click()
    await page.locator('[data-clip=counter]').waitFor({ state: 'detached' })
    expect((await spoken()).filter((clip) => clip.includes('/voice/own/'))).toEqual([])
    for (const verb of ['start', 'complete'])
      await run(bank.agentActors[0]!, 'POST', `/tickets/${called['id']}/${verb}/`, {})

    await page.goto(`${url}/app/admin/sites/${site_id}`)
    await page.fill('[data-copy-site] [name=name]', 'Annexe')
    await page.click('[data-copy-site] [type=submit]')
    await page.waitForURL((to) => /sites\/\d+$/.test(to.pathname) && !to.pathname.endsWith(`/${site_id}`))
    const copy = Number(/\d+$/.exec(new URL(page.url()).pathname))
    const linesOf = (site: number) =>
      run(admin, 'GET', `/queues/?site=${site}`).then(({ results }) =>
        results.map(({ service_id }: { service_id: number }) => service_id).toSorted(),
      )
    expect(await linesOf(copy)).toEqual(await linesOf(site_id))
    expect(await run(admin, 'GET', `/sites/${copy}/`)).toMatchObject({ name: 'Annexe' })

    await go('branding')
    const buffer = await sharp({ create: { width: 96, height: 24, channels: 3, background: '#0b6b3a' } })
      .png()
      .toBuffer()
    await page.setInputFiles('[data-logo] [type=file]', { name: 'logo.png', mimeType: 'image/png', buffer })
    await page.locator('.logo-shown').waitFor()
    expect(await violations(page, '[data-logo]')).toEqual([])

    const { id: kioskId } = await run(admin, 'POST', '/kiosks/', { site_id, name: 'Entrée' })
    await page.goto(`${url}/app/admin/kiosks/${kioskId}`)
    await page.fill('[data-staff-pin] input', '471')
    await page.click('[data-staff-pin] [type=submit]')
    await page.locator('[data-staff-pin] [data-fault="/pin"]').waitFor()
    await page.fill('[data-staff-pin] input', '4711')
    await page.click('[data-staff-pin] [type=submit]')
    await page.locator('[data-staff-pin=true]').waitFor()
    expect(await violations(page, '[data-staff-pin]')).toEqual([])
    expect(complaints).toEqual([])

    // The machine has the picture, and asks for the PIN.
    const machine = await aKiosk(site, kioskId)
    expect(await machine.page.$eval('.house img', (img: HTMLImageElement) => img.decode().then(() => true))).toBe(true)
    await machine.page.mouse.move(KIOSK.width - 20, 20)
    await machine.page.mouse.down()
    await machine.page.clock.runFor(3100)
    await machine.page.mouse.up()
    await machine.page.waitForSelector('[data-step=pin]')
    for (const key of '4711') await machine.page.click(`.keypad button:text-is("${key}")`)
    await machine.page.click('.choices > [data-kind=primary]')
    await machine.page.waitForSelector('[data-step=staff]')
    expect(machine.complaints).toEqual([])
    await page.click('[data-page=admin-branding]')
    await page.locator('[data-logo] button').click()
    await page.locator('.logo-shown').waitFor({ state: 'detached' })
    expect((await run(admin, 'GET', '/'))['logo_media_id']).toBeNull()
    expect(await server.owner('select from voice_clips')).toHaveLength(words.length - 1)
  })
}
