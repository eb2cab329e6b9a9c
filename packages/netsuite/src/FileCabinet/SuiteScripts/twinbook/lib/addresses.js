/**
 * The default address of a record: the line with the billing default, else the one with the shipping default. Other
 * lines are never touched.
 *
 * @NApiVersion 2.1
 * @NModuleScope SameAccount
 */
define([], () => {
  const BOOK = 'addressbook';

  const defaultLine = (rec) => {
    const count = rec.getLineCount({ sublistId: BOOK });
    for (const fieldId of ['defaultbilling', 'defaultshipping']) {
      for (let line = 0; line < count; line += 1) {
        if (rec.getSublistValue({ sublistId: BOOK, fieldId, line }) === true) return line;
      }
    }
    return -1;
  };

  const newLine = (rec) => {
    const line = rec.getLineCount({ sublistId: BOOK });
    rec.insertLine({ sublistId: BOOK, line });
    rec.setSublistValue({ sublistId: BOOK, fieldId: 'defaultbilling', line, value: true });
    rec.setSublistValue({ sublistId: BOOK, fieldId: 'defaultshipping', line, value: true });
    return line;
  };

  /** Set these parts of the default address; null clears. A first line is made only for something to hold. */
  const apply = (rec, address) => {
    let line = defaultLine(rec);
    // The country first: setting it rewrites what NetSuite derives from it.
    const parts = Object.keys(address).sort((a, b) => (b === 'country') - (a === 'country'));
    if (line < 0) {
      if (parts.every((name) => address[name] === null)) return;
      line = newLine(rec);
    }
    const book = rec.getSublistSubrecord({ sublistId: BOOK, fieldId: 'addressbookaddress', line });
    parts.forEach((fieldId) => book.setValue({ fieldId, value: address[fieldId] === null ? '' : address[fieldId] }));
  };

  return { apply };
});
