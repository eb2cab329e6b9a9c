const query = require('N/query');
const record = require('N/record');
const runtime = require('N/runtime');
const writing = require('SuiteScripts/twinbook/lib/writing');

jest.mock('N/query');
jest.mock('N/record');
jest.mock('N/runtime');
jest.mock('N/error');

const CHANGED = Object.assign(new Error('Record has been changed'), { name: 'RCRD_HAS_BEEN_CHANGED' });

/** Rows that the next queries answer, in turn; no more rows after them. */
const answers = (...pages) => {
  query.runSuiteQL.mockReset();
  query.runSuiteQL.mockReturnValue({ asMappedResults: () => [] });
  pages.forEach((rows) => query.runSuiteQL.mockReturnValueOnce({ asMappedResults: () => rows }));
};

const loaded = (id, more) => ({
  getField: ({ fieldId }) => (fieldId.startsWith('custentity_unknown') ? null : { type: fieldId === 'born' ? 'date' : 'text' }),
  setValue: jest.fn(),
  save: jest.fn(() => Number(id)),
  ...more,
});

const units = (remaining) => runtime.getCurrentScript.mockReturnValue({ getRemainingUsage: remaining });
const request = (writes, more) => ({ record: 'contact', writes, shape: null, seconds: 40, ...more });
const update = (key, id, more) => ({ key, op: 'update', id, fields: { title: 'CTO' }, address: null, ...more });
const create = (key) => ({ key, op: 'create', externalId: `SFC_${key}`, fields: { lastname: 'L' }, address: null });

beforeEach(() => {
  jest.resetAllMocks();
  answers();
  units(() => 5000);
});

test('creates by external id', () => {
  const made = loaded('7');
  record.create.mockReturnValue(made);
  expect(writing.write(request([create('A')]))).toEqual([{ key: 'A', status: 'CREATED', id: '7' }]);
  expect(made.setValue).toHaveBeenCalledWith({ fieldId: 'externalid', value: 'SFC_A' });
  expect(made.save).toHaveBeenCalledWith({ enableSourcing: false, ignoreMandatoryFields: false });
});

test('a create of what exists is an update', () => {
  answers([{ id: 7, externalid: 'SFC_A' }]);
  record.load.mockReturnValue(loaded('7'));
  expect(writing.write(request([create('A')]))).toEqual([{ key: 'A', status: 'UPDATED', id: '7' }]);
  expect(record.create).not.toHaveBeenCalled();
});

test('a create that another call was quicker with is an update', () => {
  const taken = Object.assign(new Error('This entity already exists.'), { name: 'DUP_ENTITY' });
  const save = () => {
    throw taken;
  };
  record.create.mockReturnValue(loaded('7', { save }));
  record.load.mockReturnValue(loaded('7'));
  answers([], [{ id: 7, externalid: 'SFC_A' }]);
  expect(writing.write(request([create('A')]))).toEqual([{ key: 'A', status: 'UPDATED', id: '7' }]);
});

test('a name that is taken stays a refusal with its code', () => {
  const taken = Object.assign(new Error('A contact record with this name already exists.'), {
    name: 'CONTACT_ALREADY_EXISTS',
  });
  const save = () => {
    throw taken;
  };
  record.create.mockReturnValue(loaded('7', { save }));
  expect(writing.write(request([create('A')]))).toEqual([
    { key: 'A', status: 'REFUSED', code: 'CONTACT_ALREADY_EXISTS', message: taken.message },
  ]);
});

test('is stale when the version is another, or the save notices a change', () => {
  record.load.mockImplementation(({ id }) =>
    loaded(id, {
      save: () => {
        if (id === '2') throw CHANGED;
        return id;
      },
    }),
  );
  answers([
    { id: 1, version: 'new' },
    { id: 2, version: 'seen' },
    { id: 3, version: 'seen' },
  ]);
  const writes = ['1', '2', '3'].map((id) => update(id, id, { ifVersion: 'seen' }));
  expect(writing.write(request(writes)).map(({ key, status }) => [key, status])).toEqual([
    ['1', 'STALE'],
    ['2', 'STALE'],
    ['3', 'UPDATED'],
  ]);
});

test('loads before it compares: a save in between is noticed by one of the two', () => {
  const order = [];
  record.load.mockImplementation(({ id }) => order.push('load') && loaded(id));
  query.runSuiteQL.mockImplementation(() => order.push('query') && { asMappedResults: () => [{ id: 1, version: 'v' }] });
  writing.write(request([update('A', '1', { ifVersion: 'v' })]));
  expect(order).toEqual(['load', 'query']);
});

test('sends dates as dates, and nothing for what is cleared', () => {
  const there = loaded('1');
  record.load.mockReturnValue(there);
  writing.write(request([update('A', '1', { fields: { born: '2026-03-01', title: null } })]));
  expect(there.setValue.mock.calls.map(([call]) => call)).toEqual([
    { fieldId: 'born', value: new Date(2026, 2, 1) },
    { fieldId: 'title', value: '' },
  ]);
});

test('names a field that the record does not have', () => {
  record.load.mockReturnValue(loaded('1'));
  const [result] = writing.write(request([update('A', '1', { fields: { custentity_unknown: 'x' } })]));
  expect(result).toMatchObject({ status: 'REFUSED', code: 'UNKNOWN_FIELD', field: 'custentity_unknown' });
});

test('stops before its time is up', () => {
  const now = jest.spyOn(Date, 'now');
  let time = 0;
  now.mockImplementation(() => time);
  record.load.mockImplementation(({ id }) =>
    loaded(id, {
      save: () => {
        time += 15000;
        return id;
      },
    }),
  );
  const writes = ['1', '2', '3', '4', '5'].map((id) => update(id, id));
  const results = writing.write(request(writes));
  now.mockRestore();
  expect(results.map(({ status }) => status)).toEqual(['UPDATED', 'UPDATED', 'UPDATED', 'DEFERRED', 'DEFERRED']);
});

test('stops before its units are used up', () => {
  let left = 115;
  units(() => left);
  record.load.mockImplementation(({ id }) => {
    left -= 5;
    return loaded(id, {
      save: () => {
        left -= 10;
        return id;
      },
    });
  });
  const writes = ['1', '2', '3', '4', '5', '6', '7', '8'].map((id) => update(id, id));
  const results = writing.write(request(writes));
  expect(results.filter(({ status }) => status === 'UPDATED').length).toBeGreaterThan(3);
  expect(results.filter(({ status }) => status === 'DEFERRED').length).toBeGreaterThan(1);
  expect(left).toBeGreaterThanOrEqual(0);
});
