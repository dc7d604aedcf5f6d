import type { PageProps } from './data.ts'
import { NearbyPage } from './nearby.tsx'
import { SignPage } from './sign.tsx'

export const NearbyApp = (props: PageProps) =>
  props.page === 'sign' ? <SignPage {...props} /> : <NearbyPage {...props} />
