import { Logo } from '../../ui/parts/logo.tsx'
import type { Model } from './model.ts'

/** Whose wall it is, where nothing else has to be read. */
export function Owner({ model }: { model: Model }) {
  const { name, brand } = model.screen!.tenant
  return (
    <p class="owner">
      <Logo brand={brand} />
      <bdi>{name}</bdi>
    </p>
  )
}

/** A line of the house's colour along the upper edge: what is read stands on no colour of a house. */
export function Stripe({ model }: { model: Model }) {
  const colour = model.screen!.tenant.brand?.colour
  return colour ? <div class="stripe" style={{ background: colour }} /> : null
}
