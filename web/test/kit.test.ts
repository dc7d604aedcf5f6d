import { describe, expect, test } from 'vitest'
import { hasBrowser, startSite, violations } from './site.ts'

describe.runIf(hasBrowser)('the kit', async () => {
  const { open } = await startSite()

  test.each([
    ['fr', 'light'],
    ['ar', 'light'],
    ['fr', 'dark'],
    ['ar', 'dark'],
  ])('X1 X9 every part is accessible and quiet in %s, %s', async (lang, theme) => {
    const { page, close, complaints } = await open(`/__kit?lang=${lang}&theme=${theme}`)
    await page.click('#kit-undo')
    expect(await page.textContent('[role=status].toast')).toContain('A-042')
    expect(await violations(page)).toEqual([])
    expect(complaints).toEqual([])
    await close()
  })

  test('X4 six counts are six sentences in Arabic', async () => {
    const { page, close } = await open('/__kit?lang=ar')
    const sentences = await page.$$eval('.kit section:nth-of-type(5) .kit-item', (items) =>
      items.slice(-6).map((item) => item.textContent),
    )
    expect(new Set(sentences).size).toBe(6)
    await close()
  })

  test('X5 a code runs left to right inside Arabic', async () => {
    const { page, close } = await open('/__kit?lang=ar')
    const [letter, figures] = await page.$eval('.code', (code) => {
      const box = (from: number, to: number) => {
        const range = document.createRange()
        range.setStart(code.firstChild!, from)
        range.setEnd(code.firstChild!, to)
        return range.getBoundingClientRect().left
      }
      return [box(0, 1), box(2, 5)]
    })
    expect(letter).toBeLessThan(figures!)
    await close()
  })
})
