import type { ComponentChildren, TargetedKeyboardEvent, TargetedMouseEvent } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { text } from "../text";
import type { Explained } from "./fault";
import { BadIcon, CheckIcon, CopyIcon, CrossIcon, EyeIcon, EyeOffIcon, InfoIcon, WarningIcon } from "./icons";
import { LockWarning } from "./lock-warning";
import type { Hex } from "../core/core";

export interface ButtonProps {
  variant?: "primary" | "plain" | "danger" | "bare";
  /** Of `danger`: the last one before it happens. */
  sure?: boolean;
  size?: "small" | "wide";
  type?: "button" | "submit";
  busy?: boolean;
  disabled?: boolean | undefined;
  label?: string | undefined;
  onClick?: (() => void) | undefined;
  children?: ComponentChildren;
}

/** A busy button keeps the focus, and does nothing. */
export function Button({ variant = "plain", sure, size, type = "button", busy, disabled, label, onClick, children }: ButtonProps) {
  return (
    <button
      type={type}
      class={["button", variant, sure ? "sure" : "", size ?? ""].join(" ")}
      disabled={disabled}
      aria-disabled={busy ? "true" : undefined}
      aria-label={label}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}
    >
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
      {busy && <span class="unseen">{text.ui.working}</span>}
    </button>
  );
}

/** A form that never leaves the page. */
export function Form({ onSubmit, children, label }: { onSubmit: () => void; children: ComponentChildren; label?: string }) {
  return (
    <form
      class="stack"
      aria-label={label}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

/** The end of a form in a dialog. `label`: where what comes next is more than the next step. */
export function FormEnd({ label = text.ui.next, busy = false, onClose }: { label?: string; busy?: boolean; onClose: () => void }) {
  return (
    <div class="row end">
      <Button onClick={onClose}>{text.ui.cancel}</Button>
      <Button variant="primary" type="submit" busy={busy}>{label}</Button>
    </div>
  );
}

type InputType = "text" | "password" | "search" | "date" | "number" | "email" | "tel" | "datetime-local";

export interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: InputType | "textarea" | "select";
  /** Of a select. */
  options?: { value: string; label: string }[];
  hint?: ComponentChildren;
  error?: string | null | undefined;
  optional?: boolean;
  placeholder?: string;
  autocomplete?: string;
  rows?: number;
  min?: string;
  max?: string;
  inputmode?: "text" | "numeric" | "decimal" | "search";
  disabled?: boolean;
  /** Takes the focus when it appears: only where somebody just asked for it. */
  focus?: boolean;
  /** The label stays for screen readers. */
  hideLabel?: boolean;
}

export function Field(props: FieldProps) {
  const { label, value, onInput, type = "text", options = [], hint, error, optional, rows, focus, hideLabel } = props;
  const id = useId();
  const element = useRef<HTMLElement | null>(null);
  const [revealed, setRevealed] = useState(false);
  useEffect(() => {
    if (focus) element.current?.focus();
  }, [focus]);
  const shared = {
    id,
    class: "input",
    value,
    placeholder: props.placeholder,
    disabled: props.disabled,
    "aria-invalid": error ? ("true" as const) : undefined,
    "aria-describedby": [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined,
  };
  return (
    <div class="field">
      <label for={id} class={hideLabel ? "unseen" : undefined}>
        {label}
        {optional && <span class="muted small"> ({text.ui.optional})</span>}
      </label>
      {hint && <div class="hint" id={`${id}-hint`}>{hint}</div>}
      {type === "textarea" ? (
        <textarea
          {...shared}
          ref={(it) => void (element.current = it)}
          rows={rows ?? 4}
          autocomplete={props.autocomplete ?? "off"}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      ) : type === "select" ? (
        <select {...shared} ref={(it) => void (element.current = it)} onChange={(event) => onInput(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>{option.label}</option>
          ))}
        </select>
      ) : (
        <div class={type === "password" ? "with-reveal" : undefined}>
          <input
            {...shared}
            ref={(it) => void (element.current = it)}
            {...inputType(type === "password" && revealed ? "text" : type)}
            autocomplete={props.autocomplete ?? "off"}
            autocapitalize="none"
            spellcheck={type === "text" ? undefined : false}
            min={props.min}
            max={props.max}
            inputmode={props.inputmode}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
          {type === "password" && (
            <IconButton label={revealed ? text.ui.hidePassphrase : text.ui.showPassphrase} onClick={() => setRevealed(!revealed)}>
              {revealed ? <EyeOffIcon /> : <EyeIcon />}
            </IconButton>
          )}
        </div>
      )}
      {error && (
        <div class="error" id={`${id}-error`}>
          <BadIcon size={16} />
          {error}
        </div>
      )}
    </div>
  );
}

/** Preact's types have a union by `type`, which a `type` known only at run time fits no member of. */
const inputType = (type: InputType) => ({ type }) as { type: "text" };

export interface CheckboxProps {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: ComponentChildren;
  disabled?: boolean;
}

export function Checkbox({ label, checked, onChange, hint, disabled }: CheckboxProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {label}
        {hint && <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}

export interface ChoiceProps extends CheckboxProps {
  /** One of several under the same name: a radio button. */
  name?: string;
  icon?: ComponentChildren;
}

/** A checkbox or radio button with the room to say what it means. */
export function Choice({ label, checked, onChange, hint, disabled, name, icon }: ChoiceProps) {
  return (
    <label class="choice">
      <input
        type={name === undefined ? "checkbox" : "radio"}
        name={name}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        <span class="name">{label}</span> {icon}
        {hint && <span class="hint">{hint}</span>}
      </span>
    </label>
  );
}

export interface IconButtonProps {
  label: string;
  onClick: () => void;
  small?: boolean;
  children: ComponentChildren;
}

export function IconButton({ label, onClick, small, children }: IconButtonProps) {
  return (
    <button type="button" class={small ? "icon-button small" : "icon-button"} aria-label={label} title={label} onClick={onClick}>
      {children}
    </button>
  );
}

export interface DialogProps {
  title: string;
  children: ComponentChildren;
  /** Buttons, the main one last. */
  actions?: ComponentChildren;
  wide?: boolean;
  onClose: () => void;
}

/** Shown for as long as it is rendered; Escape and the cross ask to close. */
export function Dialog({ title, children, actions, wide, onClose }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  // In the layout phase: a field inside that wants the focus takes it afterwards.
  useLayoutEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    heading.current?.focus();
    return () => {
      // All outside is inert until it is closed.
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      else document.getElementById("content")?.focus();
    };
  }, []);
  // What had the focus may be gone with the step before.
  useEffect(() => {
    if (!element.current?.contains(document.activeElement)) heading.current?.focus();
  });
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClickCapture={ignoreSecond}
    >
      <LockWarning />
      <div class="inside">
        <div class="row apart">
          <h2 id={id} ref={heading} tabIndex={-1} class="grow">{title}</h2>
          <IconButton label={text.ui.close} onClick={onClose}><CrossIcon /></IconButton>
        </div>
        {children}
        {actions && <div class="actions">{actions}</div>}
      </div>
    </dialog>
  );
}

/** What a button does puts another one in its place. The second click of a double click is not meant for that; keys count no clicks. */
function ignoreSecond(event: TargetedMouseEvent<HTMLDialogElement>): void {
  if (event.detail < 2 || !(event.target instanceof Element) || event.target.closest("button") === null) return;
  event.preventDefault();
  event.stopPropagation();
}

export interface CardProps {
  title?: ComponentChildren;
  /** Beside the title. */
  aside?: ComponentChildren;
  level?: 2 | 3;
  class?: string;
  children?: ComponentChildren;
}

export function Card({ title, aside, level = 2, class: more, children }: CardProps) {
  const Heading = `h${level}` as "h2" | "h3";
  return (
    <section class={["card", more ?? ""].join(" ")}>
      {(title || aside) && (
        <div class="row apart">
          {title && <Heading>{title}</Heading>}
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

const noticeIcons = { info: InfoIcon, good: CheckIcon, warning: WarningIcon, bad: BadIcon };

export interface NoticeProps {
  kind?: "info" | "good" | "warning" | "bad";
  title?: ComponentChildren;
  children?: ComponentChildren;
  /** It came up after something was done: screen readers say it. */
  live?: boolean;
}

export function Notice({ kind = "info", title, children, live }: NoticeProps) {
  const Icon = noticeIcons[kind];
  return (
    <div class={`notice ${kind}`} role={live ? (kind === "bad" ? "alert" : "status") : undefined}>
      <Icon />
      <div class="stack tight">
        <span class="unseen">{text.ui.kind[kind]}</span>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

export function FaultNotice({ error, onRetry }: { error: Explained | null; onRetry?: (() => void) | undefined }) {
  if (!error) return null;
  return (
    <Notice kind="bad" live title={error.title}>
      <p>{error.message}</p>
      {onRetry && <Button size="small" onClick={onRetry}>{text.ui.retry}</Button>}
    </Notice>
  );
}

export function Tag({ kind, children }: { kind?: "good" | "warning" | "bad" | "accent"; children: ComponentChildren }) {
  return <span class={["tag", kind ?? ""].join(" ")}>{children}</span>;
}

export const shortAddress = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`;

/** Where there is a petname, it comes first. */
export function Address({ address, name }: { address: Hex; name?: string | null | undefined }) {
  return (
    <span class="address">
      {name && <strong>{name}</strong>}
      <span class="address-code">
        <code aria-hidden="true" title={address} class={name ? "muted" : undefined}>{shortAddress(address)}</code>
        <span class="unseen">{address}</span>
        <CopyButton value={address} label={text.ui.copyAddress(shortAddress(address))} />
      </span>
    </span>
  );
}

export function CopyButton({ value, label, children }: { value: string; label?: string; children?: ComponentChildren }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(value).then(() => setCopied(true));
  return (
    <>
      {children ? (
        <Button label={label} onClick={copy}>
          {copied ? <CheckIcon /> : <CopyIcon />}
          {copied ? text.ui.copied : children}
        </Button>
      ) : (
        <IconButton small label={label ?? text.ui.copy} onClick={copy}>
          {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
        </IconButton>
      )}
      <span class="unseen" role="status">{copied ? text.ui.copied : ""}</span>
    </>
  );
}

export function Spinner({ label = text.app.loadingPage }: { label?: string }) {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      <span>{label}</span>
    </div>
  );
}

export function ProgressBar({ done, all, label }: { done: number; all: number; label: string }) {
  const id = useId();
  return (
    <div class="progress">
      <div class="row apart small">
        <span id={id}>{label}</span>
        {all > 0 && <span class="muted">{text.ui.of(done, all)}</span>}
      </div>
      {all > 0 ? <progress aria-labelledby={id} value={done} max={all} /> : <progress aria-labelledby={id} />}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon?: ComponentChildren; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      {icon && <span class="mark">{icon}</span>}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export interface TabsProps<T extends string> {
  label: string;
  tabs: { id: T; label: string }[];
  selected: T;
  onSelect: (id: T) => void;
  /** The panel of the selected tab. */
  children: ComponentChildren;
}

/** Arrow keys, Home and End move and select (ARIA APG, tabs with automatic activation). */
export function Tabs<T extends string>({ label, tabs, selected, onSelect, children }: TabsProps<T>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const at = tabs.findIndex((tab) => tab.id === selected);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    const tab = to === undefined ? undefined : tabs[to % tabs.length];
    if (!tab) return;
    event.preventDefault();
    onSelect(tab.id);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[tabs.indexOf(tab)]?.focus();
  };
  return (
    <div class="stack">
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={tab.id === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${selected}`}>{children}</div>
    </div>
  );
}

/** The page's only h1: it takes the focus when one comes to the page, so that screen readers begin there. */
export function PageTitle({ title, children, aside }: { title: string; children?: ComponentChildren; aside?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = text.app.title(title);
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [title]);
  return (
    <div class="page-title">
      <div class="row apart">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {aside}
      </div>
      {children && <p class="muted">{children}</p>}
    </div>
  );
}
