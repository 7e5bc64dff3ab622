import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Folders for agents to read, below a temporary one. */
export class Places {
  readonly top = mkdtempSync(join(tmpdir(), 'telltale-analyst-'));

  /** A folder with these files and no others. */
  folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
    const root = join(this.top, name);
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root, { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    return root;
  }

  docs(): string {
    return this.folder('docs', {
      'README.md': '# Harbour handbook\n\nThe harbour handbook tells how ships are moored.\n',
      'guide/mooring.md':
        '# Mooring\n\nA spring line is a rope that stops a ship from surging.\n\n## In a storm\n\nYou must not moor alone.\n',
      'guide/fees.md': '# Fees\n\nTODO: the fees for 2027.\n',
      'berths.csv': 'berth,length,fee\nA1,12,40\nA2,30,95.5\nB1,8,22\n',
    });
  }

  /** A git repository with one commit, by Grace. */
  repository(): string {
    const root = this.folder('code', {
      'src/engine.py':
        'class Engine:\n    """Turns fuel into motion."""\n\n    def ignite(self):\n        eval("spark")\n',
      'src/wheel.py':
        'from engine import Engine\n\ndef turn(engine: Engine):\n    # FIXME: wheels fall off\n    engine.ignite()\n',
      'CHANGELOG.md': '# Changelog\n\n- Wheels turn.\n',
    });
    const author = ['-c', 'user.name=Grace', '-c', 'user.email=g@example.test', '-c', 'commit.gpgsign=false'];
    for (const args of [['init'], ['add', '.'], [...author, 'commit', '-m', 'Wheels turn']]) {
      execFileSync('git', args, { cwd: root, stdio: 'pipe' });
    }
    return root;
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true });
  }
}
