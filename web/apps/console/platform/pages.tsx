import { inShell } from '../admin/kit/in-shell.tsx'
import { Backups } from './backups.tsx'
import { Health } from './health.tsx'
import { Jobs } from './jobs.tsx'
import { Notices } from './notices.tsx'
import { Switches } from './switches.tsx'
import { Tenants } from './tenants.tsx'

export const pages = {
  tenants: inShell('platform/tenants', Tenants),
  health: inShell('platform/health', Health),
  jobs: inShell('platform/jobs', Jobs),
  switches: inShell('platform/switches', Switches),
  notices: inShell('platform/notices', Notices),
  backups: inShell('platform/backups', Backups),
}
