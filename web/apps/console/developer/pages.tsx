import * as ops from '../../../data/operations.ts'
import * as schemas from '../../../data/schemas.ts'
import { inShell } from '../admin/kit/in-shell.tsx'
import { resourcePage, type Resource } from '../admin/kit/resource.tsx'
import { Proof } from '../admin/proof.tsx'
import { Events } from './events.tsx'
import { Requests } from './requests.tsx'
import { Sandbox } from './sandbox.tsx'
import { KeyShown, SecretShown } from './secrets.tsx'
import { Start } from './start.tsx'
import { Deliveries } from './webhooks.tsx'
import { Widget } from './widget.tsx'

const keys: Resource = {
  noun: 'keys',
  list: ops.apiKeysList,
  create: ops.apiKeysCreate,
  remove: ops.apiKeysRevoke,
  createInput: schemas.apiKeysCreateInput,
  columns: ['name', 'mode', 'prefix', 'last_used_at', 'expires_at', 'revoked_at'],
  isFinal: true,
  Head: Proof,
  Made: KeyShown,
}
const webhooks: Resource = {
  noun: 'webhooks',
  list: ops.webhooksList,
  get: ops.webhooksGet,
  create: ops.webhooksCreate,
  update: ops.webhooksUpdate,
  remove: ops.webhooksDelete,
  createInput: schemas.webhooksCreateInput,
  updateInput: schemas.webhooksUpdateInput,
  columns: ['url', 'events', 'is_active', 'delivered_at'],
  isFinal: true,
  Made: SecretShown,
  Extra: Deliveries,
}

export const pages = {
  start: inShell('developer/start', Start),
  keys: inShell('developer/keys', resourcePage(keys)),
  webhooks: inShell('developer/webhooks', resourcePage(webhooks)),
  events: inShell('developer/events', Events),
  requests: inShell('developer/requests', Requests),
  sandbox: inShell('developer/sandbox', Sandbox),
  widget: inShell('developer/widget', Widget),
}
