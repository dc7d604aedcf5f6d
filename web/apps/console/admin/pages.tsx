import type { ComponentType } from 'react'
import type { PageProps } from '../shell/shell.ts'
import { Audit } from './audit.tsx'
import { Imports } from './imports.tsx'
import { inShell } from './kit/in-shell.tsx'
import { resourcePage } from './kit/resource.tsx'
import { Privacy } from './privacy.tsx'
import { RESOURCES } from './resources.tsx'
import { Branding, Organisation, SingleSignOn } from './settings.tsx'
import { Setup } from './setup.tsx'
import { Voice } from './voice.tsx'

const resources = Object.fromEntries(
  Object.entries(RESOURCES).map(([name, resource]) => [name, inShell(`admin/${name}`, resourcePage(resource))]),
) as Record<keyof typeof RESOURCES, ComponentType<PageProps>>

export const pages = {
  ...resources,
  setup: inShell('admin/setup', Setup),
  organisation: inShell('admin/organisation', Organisation),
  branding: inShell('admin/branding', Branding),
  privacy: inShell('admin/privacy', Privacy),
  audit: inShell('admin/audit', Audit),
  imports: inShell('admin/imports', Imports),
  voice: inShell('admin/voice', Voice),
  sso: inShell('admin/sso', SingleSignOn),
}
