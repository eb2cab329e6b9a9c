const { createHmac } = require('crypto');
const cache = require('N/cache');
const crypto = require('N/crypto');
const https = require('N/https');
const runtime = require('N/runtime');
const notifier = require('SuiteScripts/twinbook/change_notifier');
const subscriber = require('SuiteScripts/twinbook/change_subscriber');

jest.mock('N/cache');
jest.mock('N/crypto');
jest.mock('N/https');
jest.mock('N/log');
jest.mock('N/runtime');

const parameters = {
  custscript_twinbook_url: 'https://twinbook.example.com/ping/emea',
  custscript_twinbook_connection: 'emea',
  custscript_twinbook_secret: 'custsecret_twinbook_ping',
};
const UserEventType = { CREATE: 'create', EDIT: 'edit', DELETE: 'delete' };
const saved = { type: 'edit', UserEventType, newRecord: { type: 'contact', id: 4711 } };
let kept;

beforeEach(() => {
  jest.resetAllMocks();
  kept = new Map();
  cache.getCache.mockReturnValue({
    get: ({ key }) => kept.get(key) || null,
    put: ({ key, value }) => kept.set(key, value),
  });
  crypto.createSecretKey.mockImplementation(({ secret }) => secret);
  crypto.createHmac.mockImplementation(({ key }) => {
    const hmac = createHmac('sha256', `value of ${key}`);
    return { update: ({ input }) => hmac.update(input), digest: () => hmac.digest('hex').toUpperCase() };
  });
  https.post.mockReturnValue({ code: 202 });
  runtime.getCurrentUser.mockReturnValue({ roleId: 'administrator' });
  runtime.getCurrentScript.mockReturnValue({ getParameter: ({ name }) => parameters[name] });
});

test('tells type and id, signed, and no value', () => {
  notifier.afterSubmit(saved);
  const [{ url, headers, body }] = https.post.mock.calls[0];
  expect(url).toBe(parameters.custscript_twinbook_url);
  expect(JSON.parse(body)).toEqual({ v: 1, connection: 'emea', records: [{ type: 'contact', id: '4711' }] });
  const [, t, n, v1] = /^t=(\d+),n=([0-9a-f]{32}),v1=([0-9a-f]{64})$/.exec(headers['X-Twinbook-Signature']);
  const mac = createHmac('sha256', 'value of custsecret_twinbook_ping').update(`${t}.${n}.${body}`).digest('hex');
  expect(v1).toBe(mac);
  expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(5);
});

test('a delete is told by the old record', () => {
  notifier.afterSubmit({ type: 'delete', UserEventType, newRecord: {}, oldRecord: { type: 'customer', id: 660 } });
  expect(JSON.parse(https.post.mock.calls[0][0].body).records).toEqual([{ type: 'customer', id: '660' }]);
});

test('what Twinbook wrote itself is no news to it', () => {
  runtime.getCurrentUser.mockReturnValue({ roleId: 'customrole_twinbook' });
  notifier.afterSubmit(saved);
  expect(https.post).not.toHaveBeenCalled();
});

test('without an address it does nothing', () => {
  runtime.getCurrentScript.mockReturnValue({ getParameter: () => null });
  notifier.afterSubmit(saved);
  expect(https.post).not.toHaveBeenCalled();
  expect(cache.getCache).not.toHaveBeenCalled();
});

test.each([
  ['cannot be reached', () => { throw new Error('down'); }],
  ['refuses', () => ({ code: 401 })],
  ['fails', () => ({ code: 500 })],
])('after an endpoint that %s there are no pings for a while', (_, post) => {
  https.post.mockImplementation(post);
  notifier.afterSubmit(saved);
  notifier.afterSubmit(saved);
  expect(https.post).toHaveBeenCalledTimes(1);
  expect(kept.has('open')).toBe(true);
});

test('a slow answer is a failure too', () => {
  const now = jest.spyOn(Date, 'now').mockReturnValueOnce(0).mockReturnValue(2500);
  notifier.afterSubmit(saved);
  now.mockRestore();
  expect(kept.get('open')).toMatch('too long');
});

test('a mass update does not ping for each record', () => {
  const now = jest.spyOn(Date, 'now').mockReturnValue(1790000000000);
  for (let number = 0; number < 200; number += 1) notifier.afterSubmit(saved);
  now.mockRestore();
  expect(https.post).toHaveBeenCalledTimes(60);
});

test.each(['getCache', 'createSecretKey', 'getCurrentScript', 'getCurrentUser'])(
  'a save never fails because %s does',
  (name) => {
    [cache, crypto, runtime].filter((module) => module[name]).forEach((module) =>
      module[name].mockImplementation(() => {
        throw new Error('broken');
      }),
    );
    expect(() => notifier.afterSubmit(saved)).not.toThrow();
  },
);

test('the subscriber tells the same', () => {
  subscriber.handle({ context: { recordType: 'CUSTOMER' }, payload: { recordId: 660 } });
  expect(JSON.parse(https.post.mock.calls[0][0].body).records).toEqual([{ type: 'customer', id: '660' }]);
});
