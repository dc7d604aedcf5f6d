import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'

/** Everything that can be set from outside, read once. Names in the environment are the upper case; docs/settings.md lists them. */
export interface Config {
  /** DEBUG: development defaults and readable errors. On unless NODE_ENV=production. */
  debug: boolean
  /** HOST, PORT: where HTTP is served. */
  host: string
  port: number
  /** METRICS_PORT: `/metrics` and health are served apart from the public port. 0 = off. */
  metricsPort: number
  /** STOP_NOTICE_MS: how long a stopping process, no longer ready, still answers, so that load balancers see it in time. */
  stopNoticeMs: number
  /** PUBLIC_URL: what links, QR codes and e-mails point to, without a trailing slash; default from ALLOWED_HOSTS. */
  publicUrl: string
  /** DATA_DIR: absolute directory of the embedded database, the development secret and uploads. */
  dataDir: string
  /** DATABASE_URL: PostgreSQL 14 or later, a primary and its standbys as `postgresql://a:5432,b:5432/name`; undefined = the embedded one. `?prepare=false` for PgBouncer before 1.21. */
  databaseUrl: string | undefined
  /** DATABASE_DIRECT_URL: the same database without PgBouncer, for migrations, LISTEN and jobs; default DATABASE_URL. */
  databaseDirectUrl: string | undefined
  /** DATABASE_REPLICA_URL: analytics may read here. */
  databaseReplicaUrl: string | undefined
  redisUrl: string | undefined
  /** RATE_LIMIT_FACTOR multiplies every rate limit; 1 in production, 1000 in development, where replays come from one login. */
  rateLimitFactor: number
  /** SECRET_KEY signs tokens; SECRET_KEY_FALLBACKS still verify those of former keys. */
  secretKey: string
  secretKeyFallbacks: readonly string[]
  /** ALLOWED_HOSTS: names of this site, `.example.org` includes its subdomains. Empty in development = any loopback name. */
  allowedHosts: readonly string[]
  corsAllowedOrigins: readonly string[]
  /** GRAPHQL_INTROSPECTION: may clients ask for the GraphQL schema; in development yes, in production only when set. */
  graphqlIntrospection: boolean
  /** OUTBOX_PAGE: `/dev/outbox` shows what nobody sends; in development to everybody, in production only when set, and to operators. */
  outboxPage: boolean
  secureSslRedirect: boolean
  /** TRUSTED_PROXIES: addresses or CIDR ranges whose X-Forwarded-* is believed. */
  trustedProxies: readonly string[]
  /** ALGORITHM_PLUGINS: modules whose exported functions are algorithms of the order of service. */
  algorithmPlugins: readonly string[]
  /** LOG_LEVEL of pino. */
  logLevel: string
  /**
   * TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN; TWILIO_FROM (a number or a messaging service) and TWILIO_WHATSAPP_FROM send;
   * TWILIO_BASE_URL: where its API is.
   */
  twilio:
    | {
        accountSid: string
        authToken: string
        from: string | undefined
        whatsappFrom: string | undefined
        baseUrl: string
      }
    | undefined
  /** SENDGRID_API_KEY; SENDGRID_WEBHOOK_KEY verifies its events; SENDGRID_BASE_URL: where its API is. */
  sendgrid: { apiKey: string; webhookKey: string | undefined; baseUrl: string } | undefined
  smtpUrl: string | undefined
  /** EMAIL_FROM: sender of every message. */
  emailFrom: string
  /**
   * WEBHOOK_ALLOWED_NETWORKS: networks that webhooks may reach although they are not public; in development this machine.
   * WEBHOOK_PORTS of receivers on the internet; WEBHOOK_TIMEOUT_MS for a whole attempt.
   */
  webhooks: { allowedNetworks: readonly string[]; ports: readonly number[]; timeoutMs: number }
  s3:
    | {
        bucket: string
        region: string
        endpoint: string | undefined
        accessKeyId: string | undefined
        secretAccessKey: string | undefined
      }
    | undefined
  /** HISTORY_DAYS: how long the log and closed visits stay in the database before they go to files; 0: for ever. */
  historyDays: number
  sentryDsn: string | undefined
  /** OTEL_EXPORTER_OTLP_ENDPOINT: base address of a collector that takes traces by OTLP over HTTP. */
  otlpEndpoint: string | undefined
  opensearchUrl: string | undefined
}

/** TEST_DATABASE_URL: a superuser's URL of the server to test on instead of the embedded one. */
export function testDatabaseUrl(): string | undefined {
  return process.env.TEST_DATABASE_URL || undefined
}

/** TEST_SEED: where tests of random cases begin, to try others than every run does. */
export function testSeed(): number | undefined {
  return Number(process.env.TEST_SEED) || undefined
}

/** TEST_SOAK: tests of random runs take their time, as before a release. */
export function isSoak(): boolean {
  return Boolean(process.env.TEST_SOAK)
}

/** The settings cannot be used; `problems` is the whole list, one sentence each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

type Environment = Record<string, string | undefined>

/**
 * Reads settings from `.env` in `directory`, overridden by `environment`.
 * In development a missing SECRET_KEY is made once and kept in `<DATA_DIR>/secret`.
 * @throws ConfigError with every problem at once, never only the first.
 */
export function loadConfig(environment: Environment = process.env, directory = process.cwd()): Config {
  const env: Environment = { ...readEnvFile(directory), ...environment }
  const problems: string[] = []
  const read = reader(env, problems)

  const production = env.NODE_ENV === 'production'
  const debug = read.boolean('DEBUG', !production)
  if (production && debug) problems.push('DEBUG must be off when NODE_ENV is production')

  const port = read.integer('PORT', 8000, 0, 65535)
  const allowedHosts = read.list('ALLOWED_HOSTS')
  const publicUrl = debug ? `http://localhost:${port}` : `https://${(allowedHosts[0] ?? '').replace(/^\./, '')}`
  const dataDir = resolve(directory, read.text('DATA_DIR') ?? '.smartqueue')
  const postgres = ['postgres:', 'postgresql:']
  const databaseUrl = read.url('DATABASE_URL', postgres)
  const bucket = read.text('S3_BUCKET')
  const [accountSid, authToken] = read.together('TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN')
  const sendgridKey = read.text('SENDGRID_API_KEY')
  const origin = (given: string | undefined, usual: string) => (given ?? usual).replace(/\/+$/, '')
  const [accessKeyId, secretAccessKey] = read.together('S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY')

  const config: Config = {
    debug,
    host: read.text('HOST') ?? (debug ? 'localhost' : '0.0.0.0'),
    port,
    metricsPort: read.integer('METRICS_PORT', 9464, 0, 65535),
    stopNoticeMs: read.integer('STOP_NOTICE_MS', debug ? 0 : 1500, 0, 15_000),
    publicUrl: (read.url('PUBLIC_URL', ['http:', 'https:']) ?? publicUrl).replace(/\/+$/, ''),
    dataDir,
    databaseUrl,
    databaseDirectUrl: read.url('DATABASE_DIRECT_URL', postgres) ?? databaseUrl,
    databaseReplicaUrl: read.url('DATABASE_REPLICA_URL', postgres),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']),
    rateLimitFactor: read.integer('RATE_LIMIT_FACTOR', debug ? 1000 : 1, 1, 1_000_000),
    secretKey: read.text('SECRET_KEY') ?? '',
    secretKeyFallbacks: read.list('SECRET_KEY_FALLBACKS'),
    allowedHosts,
    corsAllowedOrigins: read.list('CORS_ALLOWED_ORIGINS'),
    graphqlIntrospection: read.boolean('GRAPHQL_INTROSPECTION', debug),
    outboxPage: read.boolean('OUTBOX_PAGE', debug),
    secureSslRedirect: read.boolean('SECURE_SSL_REDIRECT', !debug),
    trustedProxies: read.list('TRUSTED_PROXIES'),
    algorithmPlugins: read.list('ALGORITHM_PLUGINS').map((path) => resolve(directory, path)),
    logLevel: read.choice('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
    twilio:
      accountSid && authToken
        ? {
            accountSid,
            authToken,
            from: read.text('TWILIO_FROM'),
            whatsappFrom: read.text('TWILIO_WHATSAPP_FROM'),
            baseUrl: origin(read.url('TWILIO_BASE_URL', ['http:', 'https:']), 'https://api.twilio.com'),
          }
        : undefined,
    sendgrid: sendgridKey
      ? {
          apiKey: sendgridKey,
          webhookKey: read.text('SENDGRID_WEBHOOK_KEY'),
          baseUrl: origin(read.url('SENDGRID_BASE_URL', ['http:', 'https:']), 'https://api.sendgrid.com'),
        }
      : undefined,
    smtpUrl: read.url('SMTP_URL', ['smtp:', 'smtps:']),
    emailFrom: read.text('EMAIL_FROM') ?? 'SmartQueue <no-reply@localhost>',
    webhooks: {
      allowedNetworks: read.networks('WEBHOOK_ALLOWED_NETWORKS', debug ? ['127.0.0.0/8', '::1'] : []),
      ports: read.ports('WEBHOOK_PORTS', [443, 8443]),
      timeoutMs: read.integer('WEBHOOK_TIMEOUT_MS', 15_000, 100, 30_000),
    },
    s3: bucket
      ? {
          bucket,
          region: read.text('S3_REGION') ?? 'us-east-1',
          endpoint: read.url('S3_ENDPOINT', ['http:', 'https:']),
          accessKeyId,
          secretAccessKey,
        }
      : undefined,
    historyDays: read.integer('HISTORY_DAYS', 0, 0, 36_500),
    sentryDsn: read.url('SENTRY_DSN', ['https:', 'http:']),
    otlpEndpoint: read.url('OTEL_EXPORTER_OTLP_ENDPOINT', ['https:', 'http:']),
    opensearchUrl: read.url('OPENSEARCH_URL', ['https:', 'http:']),
  }

  if (config.historyDays > 0 && config.historyDays < 100)
    problems.push('HISTORY_DAYS: 100 or more, so that whoever was away finds what happened meanwhile')
  if (config.secretKeyFallbacks.some((key) => key.length < 32))
    problems.push('SECRET_KEY_FALLBACKS: every key needs 32 characters or more')
  if (config.secretKey !== '' || !debug) problems.push(...weakness(config.secretKey))
  for (const origin of config.corsAllowedOrigins)
    if (!isOrigin(origin))
      problems.push(`CORS_ALLOWED_ORIGINS: "${origin}" is not an origin such as https://example.org`)
  if (!debug) problems.push(...unsafeInProduction(config))
  if (problems.length > 0) throw new ConfigError(problems)

  if (config.secretKey === '') config.secretKey = developmentSecret(dataDir)
  return Object.freeze(config)
}

/** The settings of this process, with what the command line says instead. */
export const processConfig = (given: Environment = {}): Config => loadConfig({ ...process.env, ...given })

function unsafeInProduction(config: Config): string[] {
  const problems: string[] = []
  if (!config.databaseUrl) problems.push('DATABASE_URL is missing: the embedded database is for development')
  if (config.allowedHosts.length === 0) problems.push('ALLOWED_HOSTS is missing: list the host names of this site')
  if (config.allowedHosts.includes('*')) problems.push('ALLOWED_HOSTS must not be *')
  if (!config.publicUrl.startsWith('https:')) problems.push('PUBLIC_URL must be an https address')
  for (const origin of config.corsAllowedOrigins)
    if (origin.startsWith('http:')) problems.push(`CORS_ALLOWED_ORIGINS: "${origin}" is not https`)
  return problems
}

function weakness(secretKey: string): string[] {
  if (secretKey === '') return ['SECRET_KEY is missing: 32 random characters or more, e.g. `openssl rand -base64 48`']
  if (secretKey.length < 32) return ['SECRET_KEY is too short: 32 random characters or more']
  if (new Set(secretKey).size < 12 || /change.?me|insecure|example/i.test(secretKey))
    return ['SECRET_KEY is guessable: use random characters, e.g. `openssl rand -base64 48`']
  return []
}

/**
 * `postgresql://a:5432,b:5433/name`, as libpq takes it, in the form that a URL parser takes: the servers in the query.
 */
function multiHostUrl(text: string): string {
  const [, scheme, login = '', servers, rest] = /^(postgres(?:ql)?:\/\/)([^@/]*@)?([^/?]*,[^/?]*)(.*)$/.exec(text) ?? []
  if (servers === undefined || scheme === undefined) return text
  const each = servers.split(',').map((server) => /^(.*?)(?::(\d+))?$/.exec(server)!)
  const query = `host=${each.map(([, host]) => encodeURIComponent(host!)).join(',')}&port=${each.map(([, , port]) => port ?? '5432').join(',')}`
  return `${scheme}${login}localhost${rest}${rest!.includes('?') ? '&' : '?'}${query}`
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function readEnvFile(directory: string): Environment {
  try {
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

/** Kept on disk so that sessions survive a restart; linked into place so that two first starts agree on one key. */
function developmentSecret(dataDir: string): string {
  const file = join(dataDir, 'secret')
  const draft = `${file}.${process.pid}`
  mkdirSync(dataDir, { recursive: true })
  try {
    writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600 })
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  chmodSync(file, 0o600)
  return readFileSync(file, 'utf8').trim()
}

/** Typed access to the variables; an empty variable counts as absent, a bad one adds to `problems`. */
function reader(env: Environment, problems: string[]) {
  const text = (name: string): string | undefined => env[name]?.trim() || undefined
  const list = (name: string): string[] =>
    (text(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean)
  return {
    text,
    list,
    networks(name: string, fallback: string[]): string[] {
      const given = list(name)
      for (const range of given) {
        const [address = '', bits = '0'] = range.split('/')
        const most = isIP(address) === 6 ? 128 : 32
        if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most)
          problems.push(`${name}: "${range}" is not an address or a network such as 10.20.0.0/16`)
      }
      return text(name) === undefined ? fallback : given
    },
    ports(name: string, fallback: number[]): number[] {
      const given = list(name).map(Number)
      if (given.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
        problems.push(`${name} must be ports, separated by commas`)
      return given.length > 0 ? given : fallback
    },
    boolean(name: string, fallback: boolean): boolean {
      const value = text(name)?.toLowerCase()
      if (value === undefined) return fallback
      if (['1', 'true', 'yes', 'on'].includes(value)) return true
      if (!['0', 'false', 'no', 'off'].includes(value)) problems.push(`${name} must be true or false`)
      return false
    },
    integer(name: string, fallback: number, least: number, most: number): number {
      const value = text(name)
      if (value === undefined) return fallback
      if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value)
      problems.push(`${name} must be a whole number from ${least} to ${most}`)
      return fallback
    },
    choice(name: string, allowed: readonly string[], fallback: string): string {
      const value = text(name) ?? fallback
      if (!allowed.includes(value)) problems.push(`${name} must be one of ${allowed.join(', ')}`)
      return value
    },
    /** The message never repeats the value: it may hold a password. */
    url(name: string, protocols: readonly string[]): string | undefined {
      const given = text(name)
      // libpq's way to name a primary and its standbys.
      const value = given === undefined ? undefined : multiHostUrl(given)
      if (
        value !== undefined &&
        !protocols.some((protocol) => value.startsWith(`${protocol}//`) && URL.canParse(value))
      )
        problems.push(
          `${name} must be a URL starting with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
        )
      return value
    },
    together(first: string, second: string): [string | undefined, string | undefined] {
      const values: [string | undefined, string | undefined] = [text(first), text(second)]
      if ((values[0] === undefined) !== (values[1] === undefined)) problems.push(`${first} and ${second} go together`)
      return values
    },
  }
}
