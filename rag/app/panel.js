// Runs once, for the panel's component: `element`, `trigger` and `watch` are Gradio's. All links and buttons of ours, in the
// panel and in the answers, end in one event of it; what they mean is decided by the server.

const page = (window.footnote ??= {});
const LINKS = 'a[href^="#cite-"], a[href^="#do-"], a[href="#back"], a[href="#evidence"], a[href="#library"], a[href="#conversations"]';
const OF_CHAT = /^#do-(edit|reword|keep|good|bad)/; // these leave the panel as it is
const SEARCH_MS = 250;

// --- The panel ---------------------------------------------------------------------------------------------------------

const show = () => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  const heading = element.querySelector('h2');
  const cited = element.querySelector('#cited mark') ?? element.querySelector('#cited');
  const field = element.querySelector('#new-title, #comment');
  const from = page.asked === '#back' && page.from && document.querySelector(`a[href="${page.from}"]`);
  (from || field || heading)?.focus({preventScroll: true});
  (from || cited || heading)?.scrollIntoView({block: cited && !from ? 'center' : 'nearest', behavior: calm});
};

const act = (ref, value) => {
  clearTimeout(page.typing); // a late search would show in the next view
  if (ref.startsWith('#cite-')) page.from = ref;
  if (page.asked === ref && ref.startsWith('#cite-')) show(); // the panel has it already, and will not change
  if (OF_CHAT.test(ref)) {
    if (/edit|reword/.test(ref)) document.querySelector('#question textarea')?.focus();
  } else {
    page.asked = ref;
    page.asking = true;
  }
  trigger('act', {ref, value});
};

const view = () => element.querySelector('.view')?.dataset.view;

watch('value', () => {
  const field = page.field && element.querySelector(`#${page.field.id}`);
  if (page.asking || view() !== page.view) element.closest('#panel')?.scrollTo({top: 0});
  if (field && !page.asking) {
    field.value = page.field.value; // what was typed meanwhile
    field.focus({preventScroll: true});
    field.setSelectionRange?.(page.field.at, page.field.at);
  } else if (page.asking) {
    show();
  } else {
    page.asked = null;
  }
  page.view = view();
  page.asking = false;
});

// --- A quote, in sight of the sentence that cites it -------------------------------------------------------------------

const note = (link) => {
  if (link.title) {
    link.dataset.note = link.title; // the browser's own tip would cover ours
    link.removeAttribute('title');
  }
  return link.dataset.note ?? '';
};

const tip = () => {
  let found = document.getElementById('preview');
  if (!found) {
    found = document.createElement('div');
    found.id = 'preview';
    found.role = 'tooltip';
    found.hidden = true;
    document.querySelector('.gradio-container').append(found);
    found.addEventListener('mouseleave', () => hide());
  }
  return found;
};

const hide = () => {
  const found = document.getElementById('preview');
  if (found) found.hidden = true;
};

const preview = (link, text = note(link)) => {
  if (!text) return;
  const found = tip(), place = link.getBoundingClientRect();
  found.textContent = text;
  found.hidden = false;
  link.setAttribute('aria-describedby', 'preview');
  const room = document.documentElement.clientWidth - found.offsetWidth - 12;
  found.style.left = `${Math.max(12, Math.min(place.left - 24, room))}px`;
  const above = place.top - found.offsetHeight - 6;
  found.style.top = `${above > 8 ? above : place.bottom + 6}px`;
};

// --- An answer with its sources, for the clipboard ---------------------------------------------------------------------

const footnoted = (link) => {
  const body = link.closest('.prose').cloneNode(true);
  body.querySelectorAll('a[href^="#do-"], a[href^="/conversations/"]').forEach((one) => one.remove());
  const marks = [...body.querySelectorAll('a[href^="#cite-"]')];
  const notes = new Map(marks.map((mark) => [mark.textContent, mark.title || mark.dataset.note]));
  const paragraphs = [...body.children].map((one) => one.textContent.replaceAll('\u00a0', ' ').trim()).filter(Boolean);
  return [...paragraphs, [...notes].map(([mark, quote]) => `${mark} ${quote}`).join('\n')].filter(Boolean).join('\n\n');
};

const copy = async (link) => {
  const found = tip();
  let told;
  try {
    await navigator.clipboard.writeText(footnoted(link));
    told = 'Copied, with its sources.';
  } catch {
    told = 'This browser does not let the page copy.';
  }
  found.setAttribute('aria-live', 'polite');
  preview(link, told);
};

// --- Events: of the document, as answers and panel are drawn anew ------------------------------------------------------

const listeners = {
  click: (event) => {
    const link = event.target.closest?.(LINKS), button = event.target.closest?.('button[data-do]');
    if (!link && !button) return;
    event.preventDefault();
    event.stopPropagation();
    hide();
    const ref = link ? link.getAttribute('href') : button.dataset.do;
    const field = button?.dataset.takes && document.getElementById(button.dataset.takes);
    page.field = null;
    if (ref.startsWith('#do-copy-')) copy(link);
    else act(ref, field?.value);
  },
  mouseover: (event) => {
    const link = event.target.closest?.('a[href^="#cite-"]');
    if (link) preview(link);
    else if (!event.target.closest?.('#preview')) hide();
  },
  focusin: (event) => {
    const link = event.target.closest?.('a[href^="#cite-"]');
    if (link?.matches(':focus-visible')) preview(link);
    else hide();
  },
  keydown: (event) => {
    if (event.key === 'Escape') hide();
    if (event.key !== 'Enter' || event.target.id !== 'new-title') return;
    event.preventDefault();
    element.querySelector('button[data-takes="new-title"]')?.click();
  },
  input: (event) => {
    const field = event.target;
    if (!element.contains(field)) return;
    page.field = {id: field.id, value: field.value, at: field.selectionStart};
    clearTimeout(page.typing);
    if (field.type === 'search')
      page.typing = setTimeout(() => trigger('act', {ref: field.dataset.do, value: field.value}), SEARCH_MS);
  },
};

for (const [name, listener] of Object.entries(page.listeners ?? {})) document.removeEventListener(name, listener, true);
for (const [name, listener] of Object.entries(listeners)) document.addEventListener(name, listener, true);
page.listeners = listeners;
