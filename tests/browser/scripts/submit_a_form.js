// Sends a form with one field, as plain text.
([address, fields]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'POST', action: address, enctype: 'text/plain'});
  const field = document.createElement('input');
  [field.name, field.value] = fields;
  form.append(field);
  document.body.append(form);
  form.submit();
}
