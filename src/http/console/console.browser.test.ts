/** The console as it is built, in a real browser, under its policy and below a path of somebody else's server. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../../index.ts';
import { executablePath, openChromium } from '../chromium.fixture.ts';

describe.skipIf(!executablePath)('the console', () => {
  let app: Telltale;
  let servers: Server[];
  let origin: string;
  let elsewhere: string;
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];
  /** What somebody else's server was asked for. */
  const taken: unknown[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    app = telltale({ store: 'memory:' });
    app.agent('greeter', (run, name) => run.say(`Hello ${name}.`));
    servers = [
      createServer(express().use('/deep/telltale', app.handler)),
      createServer(({ url }, response) => {
        taken.push(url);
        response.end();
      }),
    ];
    [origin, elsewhere] = (await Promise.all(servers.map(listening))) as [string, string];
    browser = await openChromium();
    page = await browser.newPage();
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => complaints.push(error.message));
  });

  afterAll(async () => {
    await browser.close();
    await app.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Once the page has drawn something. */
  const opened = () => page.locator('main').waitFor();

  test('opens on whatever path it is mounted, asks for nothing beside it, and its policy complains of nothing', async () => {
    const { runId, finished } = await app.start({ agent: 'greeter', input: 'Ada', threadId: 'talk' });
    await finished();
    await page.goto(`${origin}/deep/telltale?status=completed`);
    await opened();
    expect(page.url()).toBe(`${origin}/deep/telltale/?status=completed`);
    for (const path of [`runs/${runId}`, 'chat', 'chat/talk']) {
      await page.goto(`${origin}/deep/telltale/${path}`);
      await opened();
      // A new conversation has an address of its own.
      expect(page.url().startsWith(`${origin}/deep/telltale/${path}`), page.url()).toBe(true);
    }
    expect(asked.filter((it) => !it.startsWith(`${origin}/deep/telltale`))).toEqual([]);
    // A conversation that nobody has begun is not there yet.
    expect(complaints.filter((it) => !/status of 404 .*\/v1\/threads\//.test(it))).toEqual([]);
  });

  test('lets nothing that got into it run, be loaded, or lead away', async () => {
    await page.goto(`${origin}/deep/telltale/`);
    await opened();
    const found = await page.evaluate(async (elsewhere) => {
      const blocked = new Set<string>();
      const told = new Promise<void>((resolve) =>
        document.addEventListener('securitypolicyviolation', (it) => {
          if (blocked.add(it.effectiveDirective).size === 5) resolve();
        }),
      );
      const refused: string[] = [];
      const attempt = (name: string, act: () => unknown) => {
        try {
          act();
        } catch {
          refused.push(name);
        }
      };
      const added = <K extends keyof HTMLElementTagNameMap>(tag: K, about: Partial<HTMLElementTagNameMap[K]>) =>
        document.body.append(Object.assign(document.createElement(tag), about));
      attempt('markup', () => {
        document.body.innerHTML += '<img src=x onerror="globalThis.ran = true">';
      });
      attempt('script', () => added('script', { text: 'globalThis.ran = true' }));
      attempt('frame', () => added('iframe', { srcdoc: '<script>parent.ran = true</script>' }));
      added('img', { src: `${elsewhere}/picture` });
      added('style', { textContent: `body { background: url(${elsewhere}/style) }` });
      added('link', { rel: 'stylesheet', href: `${elsewhere}/sheet` });
      const form = Object.assign(document.createElement('form'), { action: `${elsewhere}/form` });
      document.body.append(form);
      form.submit();
      await fetch(elsewhere).catch(() => refused.push('fetch'));
      await told;
      return { refused, blocked: [...blocked].sort(), ran: 'ran' in globalThis };
    }, elsewhere);
    expect(found.refused).toEqual(['markup', 'script', 'frame', 'fetch']);
    expect(found.blocked).toEqual([
      'connect-src',
      'form-action',
      'img-src',
      'require-trusted-types-for',
      'style-src-elem',
    ]);
    expect(found.ran).toBe(false);
    expect(taken).toEqual([]);
  });
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
