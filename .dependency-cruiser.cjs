// The module order: a module may use only those before it.
const ORDER = [
  'tenants',
  'authentication',
  'media',
  'sites',
  'customers',
  'queues',
  'agents',
  'tickets',
  'estimates',
  'appointments',
  'staffing',
  'displays',
  'setup',
  'ar',
  'sandbox',
  'requests',
]
// Listeners react to the events of anything above; nobody imports them.
const LISTENERS = ['notifications', 'analytics', 'webhooks', 'privacy', 'imports', 'search']
const inModules = (names) => `^server/modules/(${names.join('|')})/`
const tests = '(\\.test\\.ts$|^server/test/)'

const order = ORDER.slice(0, -1).map((name, i) => ({
  name: `order-${name}`,
  severity: 'error',
  comment: `${name} may use only: ${ORDER.slice(0, i).join(', ') || 'the kernel'}`,
  from: { path: inModules([name]), pathNot: tests },
  to: { path: inModules(ORDER.slice(i + 1)) },
}))

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'a cycle has no first file to read',
      from: {},
      to: { circular: true },
    },
    {
      name: 'kernel-knows-no-domain',
      severity: 'error',
      comment: 'the kernel must serve any domain',
      from: { path: '^server/kernel/', pathNot: tests },
      to: { path: '^server/(modules|transports|pages|replay|app|main)' },
    },
    {
      name: 'front-door-only',
      severity: 'error',
      comment: 'enter a module through its index.ts',
      from: { path: '^server/(modules/([^/]+)/|transports/|pages/|app|main)', pathNot: tests },
      to: { path: '^server/modules/[^/]+/', pathNot: ['^server/modules/[^/]+/index\\.ts$', '^server/modules/$2/'] },
    },
    {
      name: 'capabilities-know-no-transport',
      severity: 'error',
      comment: 'operations are the same over every transport',
      from: { path: '^server/modules/', pathNot: [tests, '/graphql\\.ts$'] },
      to: { path: ['^server/transports/', 'node_modules/(fastify|@fastify|graphql|mercurius|ws)(/|$)'] },
    },
    {
      name: 'one-door-to-postgres',
      severity: 'error',
      comment: 'tenant isolation holds because every statement passes server/kernel/db',
      from: { path: '^(server|scripts)/', pathNot: ['^server/kernel/(db|jobs)/', tests] },
      to: { path: 'node_modules/(pg|graphile-worker)(/|$)' },
    },
    {
      name: 'outside-calls-in-jobs',
      severity: 'error',
      comment: 'a request or transaction must not wait for somebody else’s server',
      from: {
        path: '^server/(kernel|modules)/',
        pathNot: [tests, '/jobs\\.ts$', '/providers/', '^server/kernel/http\\.ts$'],
      },
      to: { path: ['^(node:)?https?$', 'node_modules/(undici|nodemailer|twilio)(/|$)'] },
    },
    {
      name: 'nobody-imports-a-listener',
      severity: 'error',
      comment: 'emit an event instead',
      from: { path: '^server/modules/([^/]+)/', pathNot: tests },
      to: { path: inModules(LISTENERS), pathNot: '^server/modules/$1/' },
    },
    {
      name: 'replay-is-a-client',
      severity: 'error',
      comment: 'the replay proves the public contract, so it may see nothing else',
      from: { path: '^server/replay/', pathNot: tests },
      to: { path: '^server/(kernel|modules|transports|app|main)' },
    },
    {
      name: 'shared-is-a-leaf',
      severity: 'error',
      comment: 'browsers run it',
      from: { path: '^shared/', pathNot: tests },
      to: { path: ['^(server|web|bench|scripts)/', '^node:'] },
    },
    {
      name: 'web-never-imports-the-server',
      severity: 'error',
      comment: 'the web sees shared/ only',
      from: { path: '^web/', pathNot: ['^web/test/', '\\.test\\.ts$'] },
      to: { path: '^server/' },
    },
    {
      name: 'server-sees-only-what-was-built',
      severity: 'error',
      comment: 'pages use dist/web, not the sources of a screen',
      from: { path: '^server/' },
      to: { path: '^web/', pathNot: '^web/(build/ensure|test/)' },
    },
    {
      name: 'apps-are-apart',
      severity: 'error',
      comment: 'what two apps need lives in web/ui or web/data',
      from: { path: '^web/apps/([^/]+)/' },
      to: { path: '^web/apps/', pathNot: '^web/apps/$1/' },
    },
    {
      name: 'one-framework-an-app',
      severity: 'error',
      comment: 'React is for the console: phones and walls pay for every byte',
      from: { path: '^web/(apps/(visitor|booking|display|widget|kit)|data)/' },
      to: { path: 'node_modules/react(-dom)?/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'nobody needs this file',
      from: { orphan: true, path: '^(server|shared)/', pathNot: '\\.test\\.ts$' },
      to: {},
    },
    ...order,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The parser knows no JSX: scripts/house-rules.ts looks at what such files import.
    exclude: { path: '\\.tsx$' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
