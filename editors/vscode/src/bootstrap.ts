// Finds the server: the setting first, then the copy inside the extension, then PATH.

import * as path from 'node:path';

/** Where the server may be. Only the setting is allowed to fail loudly: it was meant. */
export interface Places {
  /** `farthing.server.path`; empty when unset. */
  readonly setting: string;
  /** The extension's own folder. */
  readonly extension: string;
  /** The value of PATH. */
  readonly path: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

export type Located =
  | { readonly kind: 'found'; readonly command: string; readonly origin: string }
  | { readonly kind: 'missing'; readonly message: string };

export async function locateServer(
  places: Places,
  isExecutable: (file: string) => Promise<boolean>,
): Promise<Located> {
  const at = places.platform === 'win32' ? path.win32 : path.posix;
  const binary = places.platform === 'win32' ? 'farthing.exe' : 'farthing';

  const setting = places.setting.trim();
  if (setting !== '') {
    const command = expandHome(setting, places.home);
    if (!at.isAbsolute(command)) {
      return missing(`farthing.server.path must be an absolute path, which ${setting} is not`);
    }
    return (await isExecutable(command))
      ? found(command, 'farthing.server.path')
      : missing(
          `farthing.server.path names ${command}, which is no executable file; correct the setting or clear it`,
        );
  }

  const bundled = at.join(places.extension, 'server', binary);
  if (await isExecutable(bundled)) return found(bundled, 'bundled');

  // A relative entry would let the opened folder decide which program runs.
  const folders = places.path.split(at.delimiter).filter((folder) => at.isAbsolute(folder));
  for (const folder of folders) {
    const command = at.join(folder, binary);
    if (await isExecutable(command)) return found(command, 'PATH');
  }
  return missing(
    `The Farthing server is not installed: there is no ${binary} in PATH. ` +
      'Install it, or say where it is with the setting farthing.server.path',
  );
}

function found(command: string, origin: string): Located {
  return { kind: 'found', command, origin };
}

function missing(message: string): Located {
  return { kind: 'missing', message };
}

function expandHome(file: string, home: string): string {
  return file === '~' || /^~[/\\]/.test(file) ? home + file.slice(1) : file;
}
