import { local } from '../brand.ts'

interface Props {
  brand: { logo: { url: string } | null } | undefined
}
/** The picture of an organisation beside its name, which says the same in words. One that cannot be shown leaves no gap. */
export function Logo({ brand }: Props) {
  if (!brand?.logo) return null
  const src = local(brand.logo.url)
  return <img class="logo" key={src} src={src} alt="" onError={leave} />
}
const leave = ({ currentTarget }: { currentTarget: HTMLElement }) => {
  currentTarget.hidden = true
}
