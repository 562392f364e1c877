// Finds what is typed: a word may stand in a name, a field, a service, a queue. Everything else works without it.
'use strict';
{
  const box = document.getElementById('search');
  const found = document.getElementById('found');
  const [title, all] = [document.title, found.textContent];
  const plain = (text) => text.toLowerCase().replaceAll('_', '');
  const rows = Array.from(document.querySelectorAll('[data-find]'), (row) => {
    const told = row.dataset.find.split('\n');
    return { row, told, find: told.map(plain), why: row.querySelector('.why') };
  });

  // Shows what has every word, and where, if that is not its name.
  const search = () => {
    const words = plain(box.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, told, find, why } of rows) {
      const places = words.map((word) => find.findIndex((text) => text.includes(word)));
      row.hidden = places.includes(-1);
      why.textContent = row.hidden ? '' : [...new Set(places)].filter((at) => at > 0).map((at) => told[at]).join(', ');
      count += !row.hidden;
    }
    for (const group of document.querySelectorAll('.group')) {
      group.hidden = !group.querySelector('[data-find]:not([hidden])');
    }
    found.textContent = words.length ? `${count} found` : all;
  };

  // The address names what is shown, or what is looked for.
  const go = () => {
    const [, sought] = location.hash.match(/^#find-(.*)$/) ?? [];
    try {
      if (sought !== undefined) box.value = decodeURIComponent(sought);
    } catch {
      box.value = '';
    }
    const shown = document.querySelector('.thing:target h1');
    document.title = shown ? `${shown.textContent} · ${title}` : title;
    search();
  };

  box.addEventListener('input', () => {
    const hash = box.value ? `#find-${encodeURIComponent(box.value)}` : '#';
    // Only a change of place takes away what is shown; typing on is no step in the history.
    if (document.querySelector(':target')) location.hash = hash;
    else history.replaceState(null, '', hash);
    search();
  });
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') document.querySelector('[data-find]:not([hidden]) a')?.click();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target === box || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    box.focus();
  });
  window.addEventListener('hashchange', go);
  document.querySelector('.home').addEventListener('click', () => { box.value = ''; search(); });
  box.hidden = false;
  go();
}
