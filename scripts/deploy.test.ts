import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { validate as problemsOf } from 'dockerfile-utils'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { ROOT } from '../web/build/paths.ts'

const text = (path: string) => readFileSync(ROOT + path, 'utf8')
const files = (pattern: string) => globSync(pattern, { cwd: ROOT }).toSorted()
const SETTINGS = new Set(
  [...(text('docs/settings.md') + 'NODE_COMPILE_CACHE').matchAll(/[A-Z][A-Z0-9_]{3,}/g)].map(([name]) => name),
)
const folder = mkdtempSync(join(tmpdir(), 'sq-deploy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the image', () => {
  const dockerfile = text('Dockerfile')
  const steps = dockerfile.replace(/\\\n/g, ' ').split('\n')

  test('has no fault that a linter sees', () => {
    expect(problemsOf(dockerfile)).toEqual([])
    expect(problemsOf('FORM node\nRUN')).not.toEqual([])
  })

  test('runs as nobody who may write it, tells its health, and is told what to do', () => {
    const last = steps.slice(steps.findLastIndex((line) => line.startsWith('FROM ')))
    const is = (word: string) => last.find((line) => line.startsWith(`${word} `)) ?? ''
    expect([is('USER'), is('CMD')]).toEqual(['USER node', 'CMD ["serve"]'])
    expect(dockerfile).toMatch(/HEALTHCHECK .*\\\n.*\/healthz/)
    expect(last.filter((line) => line.startsWith('COPY'))).toEqual(['COPY --from=install --chown=root:root /app ./'])
    const names = [...is('ENV').matchAll(/([A-Z_]+)=/g)].map(([, name]) => name!)
    expect(names.filter((name) => !SETTINGS.has(name))).toEqual([])
  })
})

interface Resource {
  apiVersion: string
  kind: string
  metadata: { name: string }
}

describe('Kubernetes', () => {
  const read = (path: string) => parseAllDocuments(text(path)).map((document) => document.toJS() as Resource)
  const { resources } = parse(text('deploy/kubernetes/kustomization.yaml')) as { resources: string[] }
  const all = resources.flatMap((name) => read(`deploy/kubernetes/${name}`))
  /** As the API server judges it: the published schema of its kind. */
  async function validate(resource: Resource): Promise<void> {
    const models = (await import(`kubernetes-models/${resource.apiVersion}`)) as Record<
      string,
      new (data: object) => { validate(): void }
    >
    new models[resource.kind]!(resource).validate()
  }

  test('every file is listed, every resource follows its schema, and one that does not is seen', async () => {
    const listed = ['kustomization.yaml', ...resources].map((name) => `deploy/kubernetes/${name}`)
    expect(files('deploy/kubernetes/*.yaml')).toEqual(listed.toSorted())
    for (const resource of all) await validate(resource)
    const { metadata, ...rest } = all.find(({ kind }) => kind === 'Deployment')!
    await expect(validate({ ...rest, metadata, spec: { replicas: 'two' } } as Resource)).rejects.toThrow()
  })

  test('every pod may write nothing but its volumes, has limits, and sets only what there is to set', () => {
    const pods = all.flatMap((resource) => {
      const { spec } = resource as { spec?: Record<string, any> }
      const { template } = spec?.['jobTemplate']?.spec ?? spec ?? {}
      return template ? [template.spec] : []
    })
    expect(pods).toHaveLength(5)
    for (const pod of pods) {
      expect(pod['securityContext'].runAsNonRoot).toBe(true)
      const volumes = pod['volumes'].map(({ name }: { name: string }) => name)
      for (const container of [...(pod['initContainers'] ?? []), ...pod['containers']]) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.resources.limits.memory).toMatch(/i$/)
        for (const { name } of container.volumeMounts) expect(volumes).toContain(name)
      }
    }
    const config = all.find(({ kind }) => kind === 'ConfigMap') as Resource & { data: object }
    expect(Object.keys(config.data).filter((name) => !SETTINGS.has(name))).toEqual([])
  })

  test('backups are made every night, one at a time, and restored on trial before older ones go', () => {
    const { schedule, concurrencyPolicy, jobTemplate } = (all.find(({ kind }) => kind === 'CronJob') as any).spec
    expect([schedule, concurrencyPolicy]).toEqual(['30 2 * * *', 'Forbid'])
    const { args } = jobTemplate.spec.template.spec.containers[0]
    expect(args.slice(0, 4)).toEqual(['backup', '--to', '/backups', '--verify'])
  })

  test('services, scalers, budgets and ways in name what there is', () => {
    const named = (kind: string) =>
      new Set(all.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name))
    const ingress = JSON.stringify(all.find(({ kind }) => kind === 'Ingress'))
    for (const [, name] of ingress.matchAll(/"service":\{"name":"(\w+)"/g)) expect(named('Service')).toContain(name)
    for (const kind of ['Service', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'])
      for (const name of named(kind)) expect(named('Deployment')).toContain(name)
  })
})

describe('Compose', () => {
  test('settings are those there are, and nothing secret has a default', () => {
    const production = parse(text('deploy/compose/production.yaml'), { merge: true }) as {
      services: Record<string, { environment?: Record<string, string>; command?: string[]; read_only?: boolean }>
    }
    const { web, worker, migrate, backup } = production.services
    expect([web!.command, worker!.command, migrate!.command, backup!.command!.slice(0, 4)]).toEqual([
      ['serve', '--roles', 'api,realtime'],
      ['serve', '--roles', 'worker'],
      ['migrate'],
      ['backup', '--to', '/backups', '--verify'],
    ])
    expect([web, worker, migrate, backup].every((service) => service!.read_only)).toBe(true)
    expect(Object.keys(web!.environment!).filter((name) => !SETTINGS.has(name))).toEqual([])
    const env = text('deploy/compose/example.env')
    expect(env).toMatch(/^SECRET_KEY=$/m)
    expect(env).toMatch(/^POSTGRES_PASSWORD=$/m)
    for (const [, name] of text('deploy/compose/production.yaml').matchAll(/\$\{(\w+)/g))
      expect(env).toMatch(new RegExp(`^${name}=`, 'm'))
  })
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
if (!hasSystemd) process.stderr.write('deploy.test.ts: systemd-analyze is not installed, NO UNIT WAS JUDGED\n')
describe.skipIf(!hasSystemd)('systemd', () => {
  // The program need not be installed where the units are judged.
  const judged = (unit: string, source: string) => {
    const path = join(folder, basename(unit))
    writeFileSync(path, source.replaceAll('/opt/smartqueue/bin/smartqueue', '/bin/true'))
    const verify = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    return { path, problems: verify.stderr.split('\n').filter((line) => line.includes(basename(unit))) }
  }

  test.each(files('deploy/systemd/*.service'))('%s is right, and open to little', (unit) => {
    const { path, problems } = judged(unit, text(unit))
    expect(problems).toEqual([])
    execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', path])
  })

  test('control: an unknown setting is seen', () => {
    expect(judged('control.service', '[Service]\nExecStart=/bin/true\nProtectEverything=yes\n').problems).not.toEqual(
      [],
    )
  })
})
