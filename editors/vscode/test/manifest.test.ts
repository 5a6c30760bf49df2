import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: readonly {
      readonly properties: Record<
        string,
        {
          readonly scope?: string;
          readonly type?: string;
          readonly default?: unknown;
          readonly markdownDescription?: string;
        }
      >;
    }[];
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const settings = Object.assign(
  {},
  ...manifest.contributes.configuration.map((group) => group.properties),
) as Manifest['contributes']['configuration'][number]['properties'];

test('no workspace can choose the program that is started', () => {
  const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  const ofServer = Object.keys(settings).filter((name) => name.startsWith('farthing.server.'));
  assert.deepEqual([...restricted].sort(), ofServer.sort());
  for (const name of ofServer) assert.equal(settings[name]?.scope, 'machine', name);
});

test('every setting is documented', () => {
  for (const [name, setting] of Object.entries(settings)) {
    assert.match(setting.markdownDescription ?? '', /\.$/, name);
  }
});

test('the lock file names no registry', () => {
  assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"/);
});

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Record<string, Schema>;
}

const schema = JSON.parse(readFileSync('../../docs/schema/settings.json', 'utf8')) as Schema;

test('every setting is one that the server knows, with the same type and default', () => {
  for (const [name, setting] of Object.entries(settings)) {
    const known = knownTo(schema, name.split('.').slice(1));
    assert.ok(known, `the server does not know ${name}`);
    if (known.type === undefined) continue;
    assert.equal(setting.type, known.type, name);
    assert.deepEqual(setting.default, known.default ?? '', name);
  }
});

function knownTo(table: Schema, [part, ...rest]: string[]): Schema | undefined {
  // What has no properties, the server leaves to the editor.
  if (part === undefined || table.properties === undefined) return table;
  const inner = table.properties[part];
  return inner && knownTo(inner, rest);
}
