import { data, element, text, type PageData } from './page.ts'

interface AccountData extends PageData {
  page: 'forgot-password' | 'reset-password' | 'invitation' | 'confirm-email'
}
interface Invitation {
  tenant: { slug: string; name: string }
  email: string
  needs_password: boolean
}
const { page } = data<AccountData>()
const token = location.hash.slice(1)
const form = element<HTMLFormElement>('account')
const button = form.querySelector('button')!

const POSTS = {
  'forgot-password': { path: '/auth/password/forgot/', done: 'page.link_sent' },
  'reset-password': { path: '/auth/password/reset/', done: 'page.password_chosen' },
  invitation: { path: '/auth/invitations/accept/', done: 'page.invitation_accepted' },
  'confirm-email': { path: '/auth/email/confirm/', done: 'page.email_confirmed' },
} as const

async function post<T>(path: string, body: object): Promise<T | null> {
  const response = await fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-language': document.documentElement.lang },
    credentials: 'omit',
    body: JSON.stringify(body),
  })
  const answer = response.status === 204 ? null : ((await response.json()) as T & Problem)
  if (!response.ok) throw new Error(answer?.errors?.[0]?.detail ?? answer?.title ?? response.statusText)
  return answer
}
interface Problem {
  title?: string
  errors?: { detail: string }[]
}

function show(id: 'done' | 'problem', message: string): void {
  element(id).textContent = message
  element(id).hidden = false
}

/** Reads the invitation, which changes nothing, and asks for no more than it needs. */
async function describe(): Promise<void> {
  const invitation = await post<Invitation>('/auth/invitations/view/', { token })
  element('about').textContent = text('page.invited_to', { tenant: invitation!.tenant.name, email: invitation!.email })
  const next = element('next').querySelector('a')!
  next.search += `&tenant=${invitation!.tenant.slug}`
  if (!invitation!.needs_password) for (const id of ['name-field', 'password-field']) element(id).remove()
}

async function confirm(): Promise<void> {
  button.disabled = true
  element('problem').hidden = true
  try {
    const { path, done } = POSTS[page]
    await post(path, { ...(token && { token }), ...Object.fromEntries(new FormData(form)) })
    // Whoever looks at the history of this browser finds no link any more.
    history.replaceState(null, '', location.pathname + location.search)
    form.hidden = true
    show('done', text(done))
    element('next').hidden = false
  } catch (error) {
    show('problem', (error as Error).message)
    button.disabled = false
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void confirm()
})

try {
  if (!token && page !== 'forgot-password') throw new Error(text('page.link_expired'))
  if (page === 'invitation') await describe()
  button.disabled = false
} catch (error) {
  show('problem', (error as Error).message)
  form.hidden = true
}
// The language is changed without losing the link.
for (const link of document.querySelectorAll<HTMLAnchorElement>('.languages a')) link.hash = token
