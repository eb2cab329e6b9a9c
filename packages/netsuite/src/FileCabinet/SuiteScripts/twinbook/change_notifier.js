/**
 * After a contact or customer is saved or deleted, tells Twinbook which one it was.
 *
 * @NApiVersion 2.1
 * @NScriptType UserEventScript
 * @NModuleScope SameAccount
 */
define(['N/runtime', './lib/ping'], (runtime, ping) => {
  /** Twinbook's own writes are no news to it. */
  const OWN_ROLE = 'customrole_twinbook';

  const isOwn = () => {
    try {
      return runtime.getCurrentUser().roleId === OWN_ROLE;
    } catch (_) {
      return false;
    }
  };

  const afterSubmit = (context) => {
    const { DELETE } = context.UserEventType;
    const record = context.type === DELETE ? context.oldRecord || context.newRecord : context.newRecord;
    if (record && record.id && !isOwn()) ping.send([{ type: record.type, id: String(record.id) }]);
  };

  return { afterSubmit };
});
