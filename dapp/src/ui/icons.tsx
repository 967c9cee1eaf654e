// Line icons on a grid of 24. They only decorate: a text says the same.
import type { ComponentChildren } from "preact";

export interface IconProps {
  size?: number;
}

function icon(children: ComponentChildren) {
  return ({ size = 20 }: IconProps) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

/** The product's mark: a sheet with a keyhole. */
export const LogoIcon = ({ size = 28 }: IconProps) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <path d="M8 2h11l8 8v17a3 3 0 0 1-3 3H8a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z" fill="var(--accent)" />
    <path d="M19 2l8 8h-6a2 2 0 0 1-2-2z" fill="var(--accent-ink)" opacity="0.45" />
    <path d="M16 13a3.6 3.6 0 0 1 1.9 6.66l1 5.34h-5.8l1-5.34A3.6 3.6 0 0 1 16 13z" fill="var(--accent-ink)" />
  </svg>
);

export const RecordsIcon = icon(<><path d="M6 3h9l4 4v14H6z" /><path d="M9 11h7M9 15h7M9 7h3" /></>);
export const ImportIcon = icon(<><path d="M12 4v11M7 10l5 5 5-5" /><path d="M4 17v3h16v-3" /></>);
export const ExportIcon = icon(<><path d="M12 15V4M7 9l5-5 5 5" /><path d="M4 17v3h16v-3" /></>);
export const ShareIcon = icon(<><circle cx="6" cy="12" r="2.5" /><circle cx="18" cy="6" r="2.5" /><circle cx="18" cy="18" r="2.5" /><path d="M8.2 10.8l7.6-3.7M8.2 13.2l7.6 3.7" /></>);
export const EyeIcon = icon(<><path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" /><circle cx="12" cy="12" r="2.75" /></>);
export const EyeOffIcon = icon(<><path d="M4 4l16 16" /><path d="M9.5 5.9A9.6 9.6 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-3.2 3.9M6.2 7.5A16.5 16.5 0 0 0 2.5 12S6 18.5 12 18.500a9.3 9.3 0 0 0 4.2-1" /></>);
export const IdentityIcon = icon(<><rect x="3" y="5" width="18" height="14" rx="2" /><circle cx="9" cy="11" r="2" /><path d="M6 16c.5-1.7 1.6-2.5 3-2.500s2.5.8 3 2.500M15 10h3M15 14h3" /></>);
export const EmergencyIcon = icon(<><rect x="3" y="4" width="18" height="16" rx="2.5" /><path d="M12 8.500v7M8.5 12h7" /></>);
export const SettingsIcon = icon(<><path d="M4 7h10M18 7h2M4 17h2M10 17h10" /><circle cx="16" cy="7" r="2" /><circle cx="8" cy="17" r="2" /></>);
export const LockIcon = icon(<><rect x="5" y="11" width="14" height="9" rx="2" /><path d="M8 11V8a4 4 0 0 1 8 0v3" /></>);
export const MoreIcon = icon(<><path d="M5 7h14M5 12h14M5 17h14" /></>);
export const SearchIcon = icon(<><circle cx="11" cy="11" r="6" /><path d="M20 20l-4.5-4.5" /></>);
export const CheckIcon = icon(<path d="M5 12.500l4.5 4.500L19 7.5" />);
export const CrossIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const InfoIcon = icon(<><circle cx="12" cy="12" r="9" /><path d="M12 11v5M12 7.500v.1" /></>);
export const WarningIcon = icon(<><path d="M12 3.500L22 20H2z" /><path d="M12 10v4.500M12 17.200v.1" /></>);
export const BadIcon = icon(<><circle cx="12" cy="12" r="9" /><path d="M12 7v6M12 16.500v.1" /></>);
export const CopyIcon = icon(<><rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15H4V5a1 1 0 0 1 1-1h10v1" /></>);
export const CameraIcon = icon(<><path d="M4 8h3l1.5-2.500h7L17 8h3v11H4z" /><circle cx="12" cy="13" r="3.25" /></>);
export const ArrowIcon = icon(<path d="M9 5l7 7-7 7" />);
export const BackIcon = icon(<path d="M15 5l-7 7 7 7" />);
export const DownIcon = icon(<path d="M6 9l6 6 6-6" />);
export const TrashIcon = icon(<><path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5" /></>);
export const KeyIcon = icon(<><circle cx="8" cy="15" r="4" /><path d="M11 12l8-8M16 7l3 3M14 9l2 2" /></>);
export const WalletIcon = icon(<><path d="M4 7h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z" /><path d="M4 7l11-3v3M16 13.500h.1" /></>);
export const OfflineIcon = icon(<><path d="M4 4l16 16M2.5 9.500A14 14 0 0 1 7 6.800M10.5 6A14 14 0 0 1 21.5 9.500M6 13.200a8.5 8.5 0 0 1 4-2.200M14.5 11.200A8.5 8.5 0 0 1 18 13.200M12 18.500v.1" /></>);
export const DocumentIcon = icon(<><path d="M6 3h9l4 4v14H6z" /><path d="M15 3v4h4M9 13h6M9 17h4" /></>);
export const PersonIcon = icon(<><circle cx="12" cy="8" r="3.5" /><path d="M5 20c.6-4 3.3-6 7-6s6.4 2 7 6" /></>);
export const AllergyIcon = icon(<><circle cx="12" cy="12" r="3" /><path d="M12 3a4 4 0 0 1 2.8 6.900M12 3a4 4 0 0 0-2.8 6.900M20.5 12a4 4 0 0 1-5.9 2.300M3.5 12a4 4 0 0 0 5.9 2.300M12 21v-6" /></>);
export const PillIcon = icon(<><rect x="2.5" y="8" width="19" height="8" rx="4" transform="rotate(-40 12 12)" /><path d="M9.5 8.500l5 6" /></>);
export const HeartIcon = icon(<path d="M12 20S3.5 15 3.5 9A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 8.5 2c0 6-8.5 11-8.5 11z" />);
export const LabIcon = icon(<><path d="M9 3h6M10 3v6L5 18.500A1.7 1.7 0 0 0 6.5 21h11a1.7 1.7 0 0 0 1.5-2.500L14 9V3" /><path d="M7.5 15h9" /></>);
export const VitalsIcon = icon(<path d="M2.5 12H7l2.5-7 5 14 2.5-7h4.5" />);
export const SyringeIcon = icon(<><path d="M18 3l3 3M19.5 4.500L16 8M8 10l6 6M13 6l5 5-8.5 8.500H4.500v-5zM4.5 19.500L3 21" /></>);
export const VisitIcon = icon(<><rect x="4" y="5" width="16" height="16" rx="2" /><path d="M4 10h16M8 3v4M16 3v4M12 13v5M9.5 15.500h5" /></>);
export const ProcedureIcon = icon(<><path d="M4 20L14 10M13 5l6 6 1.5-1.500a4.2 4.2 0 0 0-6-6z" /></>);
export const ImageIcon = icon(<><rect x="3" y="4" width="18" height="16" rx="2" /><circle cx="8.5" cy="9.5" r="1.5" /><path d="M4 18l5-5 3 3 4-4 4 4" /></>);
export const MoneyIcon = icon(<><rect x="3" y="6" width="18" height="12" rx="2" /><circle cx="12" cy="12" r="2.5" /><path d="M6.5 12h.1M17.5 12h.1" /></>);
export const PlanIcon = icon(<><rect x="5" y="4" width="14" height="17" rx="2" /><path d="M9 4V3h6v1M8.5 12l1.5 1.5 2.5-2.500M8.5 17h7M14.5 12.500h1" /></>);
export const OfficeIcon = icon(<><path d="M4 21V5l8-2v18M12 9h8v12M2.5 21h19M7 8h2M7 12h2M7 16h2M15.5 13h1.500M15.5 17h1.5" /></>);
export const OtherIcon = icon(<><circle cx="5.5" cy="12" r="1.25" /><circle cx="12" cy="12" r="1.25" /><circle cx="18.5" cy="12" r="1.25" /></>);
export const ShieldIcon = icon(<><path d="M12 3l8 3v6c0 4.5-3.2 7.7-8 9-4.8-1.3-8-4.5-8-9V6z" /><path d="M9 12l2 2 4-4" /></>);

const byCompartment = [
  PersonIcon, AllergyIcon, PillIcon, HeartIcon, LabIcon, VitalsIcon, SyringeIcon, VisitIcon,
  ProcedureIcon, ImageIcon, MoneyIcon, DocumentIcon, PlanIcon, OfficeIcon, OtherIcon, ShieldIcon,
];

/** Of a category of the default map. */
export function CategoryIcon({ compartment, size }: { compartment: number } & IconProps) {
  const Icon = byCompartment[compartment] ?? OtherIcon;
  return <Icon {...(size === undefined ? {} : { size })} />;
}
export const RefreshIcon = icon(<><path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9" /><path d="M19.5 4.5V9H15" /></>);
