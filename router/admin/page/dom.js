// Making page elements. Everything that came from outside enters as text (a string child becomes a text node); nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: el("button", {class: "act", onclick: go, disabled: true}, "Halt"). Attributes that are false or null are left out. */
export const el = (tag, attributes = {}, ...children) => made(document.createElement(tag), attributes, children);

/** An SVG element. */
export const draw = (tag, attributes = {}, ...children) => made(document.createElementNS(SVG, tag), attributes, children);

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Put a text into a node, when it is another than before: an unchanged text is not announced or painted again. */
export function put(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Put children into a node in the place of those it has. */
export const fill = (node, ...children) => node.replaceChildren(...children.flat().filter(Boolean));

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** A button that copies a text, and says so for a moment. */
export function copier(text, what) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, "copy");
  button.addEventListener("click", async () => {
    put(button, (await copied(text)) ? "copied" : "not allowed");
    setTimeout(() => put(button, "copy"), 1500);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // clipboards are refused outside of secure contexts
  }
}
