// Adds a link to the page, with the text `mail`.
address => {
  const link = document.createElement('a');
  link.href = address;
  link.text = 'mail';
  document.body.append(link);
}
