const error = require('N/error');
const contract = require('SuiteScripts/twinbook/lib/contract');

jest.mock('N/error');

beforeEach(() => {
  error.create.mockImplementation(({ name, message }) => Object.assign(new Error(message), { name }));
});

const WRITE = { version: 1, action: 'write', record: 'contact' };
const update = (more) => ({ key: 'A', op: 'update', id: '1', fields: {}, ...more });

test('fills in the defaults', () => {
  expect(contract.understood({ ...WRITE, writes: [update()] })).toEqual({
    action: 'write',
    record: 'contact',
    writes: [{ op: 'update', key: 'A', id: '1', fields: {}, address: null }],
    shape: null,
    seconds: 40,
  });
});

test('takes a body that arrives as text', () => {
  expect(contract.understood(JSON.stringify({ ...WRITE, writes: [] })).writes).toEqual([]);
});

test('asks for columns as text unless told otherwise', () => {
  const asked = { version: 1, action: 'find', record: 'customer', by: { id: ['1'] }, columns: [{ name: 'phone' }] };
  expect(contract.understood(asked)).toEqual({
    action: 'find',
    record: 'customer',
    by: { id: ['1'] },
    shape: { columns: [{ name: 'phone', as: 'text' }], addresses: false, subsidiary: false },
  });
});

test.each([
  ['nothing', undefined, 'The body must be a JSON object.'],
  ['no JSON', '{', 'The body must be JSON.'],
  ['another version', { ...WRITE, version: 2 }, 'version must be 1.'],
  ['a number as id', { ...WRITE, writes: [update({ id: 1 })] }, 'writes[0].id must be an internal id.'],
  ['a nested value', { ...WRITE, writes: [update({ fields: { title: [] } })] }, 'writes[0].fields.title must be'],
  ['a key twice', { ...WRITE, writes: [update(), update({ id: '2' })] }, 'writes[1].key is that of writes[0] too.'],
  ['an unknown member', { ...WRITE, writes: [], mode: 1 }, 'The body.mode is unknown.'],
])('refuses %s, naming the place', (_, body, message) => {
  expect(() => contract.understood(body)).toThrow(
    expect.objectContaining({ name: 'INVALID_INPUT', message: expect.stringContaining(message) }),
  );
});
