import sharp from 'sharp'
import type { TestSite } from './site.ts'

const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="240" viewBox="0 0 960 240">
  <rect width="960" height="240" rx="28" fill="#0b6b3a"/>
  <path d="M44 196V96l76-52 76 52v100h-44v-60h-64v60z" fill="#fff"/>
  <path d="M262 84h620M262 132h440M262 180h540" stroke="#fff" stroke-width="20" stroke-linecap="round"/>
</svg>`

/** Gives the organisation a picture and a colour, as its administrator does in the console. */
export async function giveLogo({ run, bank, url }: Pick<TestSite, 'run' | 'bank' | 'url'>): Promise<void> {
  const { id, upload_url } = await run(bank.admin, 'POST', '/media/', { kind: 'image', name: 'Logo' })
  const sent = await fetch(url + new URL(upload_url as string).pathname, {
    method: 'PUT',
    body: new Uint8Array(await sharp(Buffer.from(PICTURE)).png().toBuffer()),
  })
  if (!sent.ok) throw new Error(await sent.text())
  await run(bank.admin, 'PATCH', '/', { logo_media_id: id, brand_colour: '#0B6B3A' })
}
