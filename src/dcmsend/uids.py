"""UIDs of the standard: names, predicates and the syntax rule. Ground floor: imports nothing of ours.

Names are the ones that DCMTK 3.6.7 prints, because programs parse reports for them; where it knows none,
the keyword of PS3.6 Annex A stands. The tables hold facts only; what to do about a UID is decided elsewhere.
"""

from __future__ import annotations

import re

from dcmsend.light import Enum, Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# Uncompressed transfer syntaxes (PS3.5 Annex A) and the few others that the code names.
IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
JPIP_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.95"
JPIP_HTJ2K_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.205"

VERIFICATION_SOP_CLASS: Final = "1.2.840.10008.1.1"
MEDIA_STORAGE_DIRECTORY: Final = "1.2.840.10008.1.3.10"
APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"

# Ours, from the 2.25 arc (PS3.5 B.2): a UUID made once for this project.
IMPLEMENTATION_CLASS_UID: Final = "2.25.159425278716207017546082374146445422875"

MAX_UID_LENGTH: Final = 64
_UID_SYNTAX: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*", re.ASCII)


class Family(Enum):
    """What a transfer syntax does to pixel data and data set, as far as sending is concerned."""

    NATIVE = "native"  # uncompressed; convertible into one another without loss
    DEFLATED = "deflated"  # the whole data set is one deflate stream (PS3.5 A.5)
    LOSSLESS = "lossless"
    LOSSY = "lossy"
    ENCAPSULATED_NATIVE = "encapsulated uncompressed"
    REFERENCED = "referenced"  # pixel data by URL (JPIP)


class TransferSyntax(Frozen):
    """A transfer syntax of PS3.6 Table A-1.

    ``explicit`` and ``little`` describe the encoding of the elements (PS3.5 7.1); ``encapsulated`` says whether
    the pixel data is a sequence of fragments (PS3.5 A.4); ``deflated`` whether the data set is a deflate stream.
    """

    uid: str
    name: str
    family: Family
    explicit: bool = True
    little: bool = True

    @property
    def encapsulated(self) -> bool:
        return self.family in (Family.LOSSLESS, Family.LOSSY, Family.ENCAPSULATED_NATIVE)

    @property
    def deflated(self) -> bool:
        return self.uid in _DEFLATE_STREAMS


_DEFLATE_STREAMS: Final = frozenset(
    (DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, JPIP_REFERENCED_DEFLATE, JPIP_HTJ2K_REFERENCED_DEFLATE)
)
_LOSSLESS, _LOSSY = Family.LOSSLESS, Family.LOSSY

# Suffix of 1.2.840.10008.1.2 -> name, family. JPIP with deflate is a deflate stream too, but its pixel data is by URL.
_TRANSFER_SYNTAXES: Final[dict[str, tuple[str, Family]]] = {
    "": ("Little Endian Implicit", Family.NATIVE),
    ".1": ("Little Endian Explicit", Family.NATIVE),
    ".2": ("Big Endian Explicit", Family.NATIVE),
    ".1.98": ("Encapsulated Uncompressed Explicit VR Little Endian", Family.ENCAPSULATED_NATIVE),
    ".1.99": ("Deflated Explicit VR Little Endian", Family.DEFLATED),
    ".4.50": ("JPEG Baseline", _LOSSY),
    ".4.51": ("JPEG Extended, Process 2+4", _LOSSY),
    ".4.52": ("JPEG Extended, Process 3+5", _LOSSY),
    ".4.53": ("JPEG Spectral Selection, Non-hierarchical, Process 6+8", _LOSSY),
    ".4.54": ("JPEG Spectral Selection, Non-hierarchical, Process 7+9", _LOSSY),
    ".4.55": ("JPEG Full Progression, Non-hierarchical, Process 10+12", _LOSSY),
    ".4.56": ("JPEG Full Progression, Non-hierarchical, Process 11+13", _LOSSY),
    ".4.57": ("JPEG Lossless, Non-hierarchical, Process 14", _LOSSLESS),
    ".4.58": ("JPEG Lossless, Non-hierarchical, Process 15", _LOSSLESS),
    ".4.59": ("JPEG Extended, Hierarchical, Process 16+18", _LOSSY),
    ".4.60": ("JPEG Extended, Hierarchical, Process 17+19", _LOSSY),
    ".4.61": ("JPEG Spectral Selection, Hierarchical, Process 20+22", _LOSSY),
    ".4.62": ("JPEG Spectral Selection, Hierarchical, Process 21+23", _LOSSY),
    ".4.63": ("JPEG Full Progression, Hierarchical, Process 24+26", _LOSSY),
    ".4.64": ("JPEG Full Progression, Hierarchical, Process 25+27", _LOSSY),
    ".4.65": ("JPEG Lossless, Hierarchical, Process 28", _LOSSLESS),
    ".4.66": ("JPEG Lossless, Hierarchical, Process 29", _LOSSLESS),
    ".4.70": ("JPEG Lossless, Non-hierarchical, 1st Order Prediction", _LOSSLESS),
    ".4.80": ("JPEG-LS Lossless", _LOSSLESS),
    ".4.81": ("JPEG-LS Lossy (Near-lossless)", _LOSSY),
    ".4.90": ("JPEG 2000 (Lossless only)", _LOSSLESS),
    ".4.91": ("JPEG 2000 (Lossless or Lossy)", _LOSSY),
    ".4.92": ("JPEG 2000 Part 2 Multicomponent Image Compression (Lossless only)", _LOSSLESS),
    ".4.93": ("JPEG 2000 Part 2 Multicomponent Image Compression (Lossless or Lossy)", _LOSSY),
    ".4.94": ("JPIP Referenced", Family.REFERENCED),
    ".4.95": ("JPIP Referenced Deflate", Family.REFERENCED),
    ".4.100": ("MPEG2 Main Profile @ Main Level", _LOSSY),
    ".4.100.1": ("Fragmentable MPEG2 Main Profile @ Main Level", _LOSSY),
    ".4.101": ("MPEG2 Main Profile @ High Level", _LOSSY),
    ".4.101.1": ("Fragmentable MPEG2 Main Profile @ High Level", _LOSSY),
    ".4.102": ("MPEG-4 AVC/H.264 High Profile / Level 4.1", _LOSSY),
    ".4.102.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", _LOSSY),
    ".4.103": ("MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", _LOSSY),
    ".4.103.1": ("Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", _LOSSY),
    ".4.104": ("MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", _LOSSY),
    ".4.104.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video", _LOSSY),
    ".4.105": ("MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", _LOSSY),
    ".4.105.1": ("Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video", _LOSSY),
    ".4.106": ("MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", _LOSSY),
    ".4.106.1": ("Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", _LOSSY),
    ".4.107": ("HEVC/H.265 Main Profile / Level 5.1", _LOSSY),
    ".4.108": ("HEVC/H.265 Main 10 Profile / Level 5.1", _LOSSY),
    ".4.110": ("JPEG XL Lossless", _LOSSLESS),
    ".4.111": ("JPEG XL JPEG Recompression", _LOSSY),
    ".4.112": ("JPEG XL", _LOSSY),
    ".4.201": ("High-Throughput JPEG 2000 Image Compression (Lossless Only)", _LOSSLESS),
    ".4.202": ("High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)", _LOSSLESS),
    ".4.203": ("High-Throughput JPEG 2000 Image Compression", _LOSSY),
    ".4.204": ("JPIP HTJ2K Referenced", Family.REFERENCED),
    ".4.205": ("JPIP HTJ2K Referenced Deflate", Family.REFERENCED),
    ".5": ("RLE Lossless", _LOSSLESS),
    ".8.1": ("Deflated Image Frame Compression", _LOSSLESS),
}


def _standard_transfer_syntax(suffix: str, name: str, family: Family) -> TransferSyntax:
    return TransferSyntax(
        uid=IMPLICIT_VR_LITTLE_ENDIAN + suffix, name=name, family=family, explicit=suffix != "", little=suffix != ".2"
    )


TRANSFER_SYNTAXES: Final[dict[str, TransferSyntax]] = {
    IMPLICIT_VR_LITTLE_ENDIAN + suffix: _standard_transfer_syntax(suffix, *facts)
    for suffix, facts in _TRANSFER_SYNTAXES.items()
}
# The one private syntax that DCMTK knows: the data set is implicit little endian, native pixels big endian.
TRANSFER_SYNTAXES["1.2.840.113619.5.2"] = TransferSyntax(
    uid="1.2.840.113619.5.2",
    name="Private GE Little Endian Implicit with big endian pixel data",
    family=Family.REFERENCED,
    explicit=False,
)


def transfer_syntax_name(uid: str) -> str:
    """Name of a transfer syntax as DCMTK prints it; ``Unknown Transfer Syntax`` for one that is not in the table."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known.name if known else "Unknown Transfer Syntax"


def transfer_syntax_label(uid: str) -> str:
    """What to call a transfer syntax in a sentence: its name, or the UID of one that is not in the table."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known.name if known else uid


def sop_class_name(uid: str) -> str:
    """Keyword of a storage SOP class as DCMTK prints it; ``unknown`` for one that is not in the table."""
    return _storage_class(uid)[0]


def modality_code(uid: str) -> str:
    """Two to four letters that stand for the SOP class in log lines (``OT`` for unknown ones)."""
    return _storage_class(uid)[1]


def is_storage_class(uid: str) -> bool:
    """Whether instances of this SOP class may be sent: every storage class, known or future, and private ones."""
    if not uid.startswith(_STANDARD_ROOT):
        return True
    return uid.startswith(_STORAGE_ARC) or (uid[len(_CLASS_ROOT) :] in _STORAGE_CLASSES and uid.startswith(_CLASS_ROOT))


def is_valid_uid(uid: str) -> bool:
    """Whether a UID, without its padding, follows PS3.5 section 9.1 (first arcs are not checked)."""
    return len(uid) <= MAX_UID_LENGTH and _UID_SYNTAX.fullmatch(uid) is not None


def _storage_class(uid: str) -> tuple[str, str]:
    suffix = uid[len(_CLASS_ROOT) :] if uid.startswith(_CLASS_ROOT) else ""
    return _STORAGE_CLASSES.get(suffix, ("unknown", "OT"))


_STANDARD_ROOT: Final = "1.2.840.10008."
_CLASS_ROOT: Final = "1.2.840.10008.5.1."
_STORAGE_ARC: Final = "1.2.840.10008.5.1.4.1.1."

# Suffix of 1.2.840.10008.5.1. -> keyword, code in log lines.
_STORAGE_CLASSES: Final[dict[str, tuple[str, str]]] = {
    "1.27": ("RETIRED_StoredPrintStorage", "SP"),
    "1.29": ("RETIRED_HardcopyGrayscaleImageStorage", "HG"),
    "1.30": ("RETIRED_HardcopyColorImageStorage", "HC"),
    "4.1.1.1": ("ComputedRadiographyImageStorage", "CR"),
    "4.1.1.1.1": ("DigitalXRayImageStorageForPresentation", "DX"),
    "4.1.1.1.1.1": ("DigitalXRayImageStorageForProcessing", "DP"),
    "4.1.1.1.2": ("DigitalMammographyXRayImageStorageForPresentation", "DXm"),
    "4.1.1.1.2.1": ("DigitalMammographyXRayImageStorageForProcessing", "DPm"),
    "4.1.1.1.3": ("DigitalIntraOralXRayImageStorageForPresentation", "DXo"),
    "4.1.1.1.3.1": ("DigitalIntraOralXRayImageStorageForProcessing", "DPo"),
    "4.1.1.2": ("CTImageStorage", "CT"),
    "4.1.1.2.1": ("EnhancedCTImageStorage", "CTe"),
    "4.1.1.2.2": ("LegacyConvertedEnhancedCTImageStorage", "CTl"),
    "4.1.1.3": ("RETIRED_UltrasoundMultiframeImageStorage", "USf"),
    "4.1.1.3.1": ("UltrasoundMultiframeImageStorage", "USm"),
    "4.1.1.4": ("MRImageStorage", "MR"),
    "4.1.1.4.1": ("EnhancedMRImageStorage", "MRe"),
    "4.1.1.4.2": ("MRSpectroscopyStorage", "MRs"),
    "4.1.1.4.3": ("EnhancedMRColorImageStorage", "MRc"),
    "4.1.1.4.4": ("LegacyConvertedEnhancedMRImageStorage", "MRl"),
    "4.1.1.5": ("RETIRED_NuclearMedicineImageStorage", "NMr"),
    "4.1.1.6": ("RETIRED_UltrasoundImageStorage", "USr"),
    "4.1.1.6.1": ("UltrasoundImageStorage", "US"),
    "4.1.1.6.2": ("EnhancedUSVolumeStorage", "USe"),
    "4.1.1.6.3": ("PhotoacousticImageStorage", "OT"),
    "4.1.1.7": ("SecondaryCaptureImageStorage", "SC"),
    "4.1.1.7.1": ("MultiframeSingleBitSecondaryCaptureImageStorage", "SCs"),
    "4.1.1.7.2": ("MultiframeGrayscaleByteSecondaryCaptureImageStorage", "SCb"),
    "4.1.1.7.3": ("MultiframeGrayscaleWordSecondaryCaptureImageStorage", "SCw"),
    "4.1.1.7.4": ("MultiframeTrueColorSecondaryCaptureImageStorage", "SCc"),
    "4.1.1.8": ("RETIRED_StandaloneOverlayStorage", "OV"),
    "4.1.1.9": ("RETIRED_StandaloneCurveStorage", "CV"),
    "4.1.1.9.1": ("DRAFT_WaveformStorage", "WV_d"),
    "4.1.1.9.1.1": ("TwelveLeadECGWaveformStorage", "TLE"),
    "4.1.1.9.1.2": ("GeneralECGWaveformStorage", "ECG"),
    "4.1.1.9.1.3": ("AmbulatoryECGWaveformStorage", "ECA"),
    "4.1.1.9.1.4": ("General32bitECGWaveformStorage", "OT"),
    "4.1.1.9.2.1": ("HemodynamicWaveformStorage", "WVh"),
    "4.1.1.9.3.1": ("CardiacElectrophysiologyWaveformStorage", "WVc"),
    "4.1.1.9.4.1": ("BasicVoiceAudioWaveformStorage", "AUV"),
    "4.1.1.9.4.2": ("GeneralAudioWaveformStorage", "AUG"),
    "4.1.1.9.5.1": ("ArterialPulseWaveformStorage", "WVa"),
    "4.1.1.9.6.1": ("RespiratoryWaveformStorage", "WVr"),
    "4.1.1.9.6.2": ("MultichannelRespiratoryWaveformStorage", "WVm"),
    "4.1.1.9.7.1": ("RoutineScalpElectroencephalogramWaveformStorage", "EEG"),
    "4.1.1.9.7.2": ("ElectromyogramWaveformStorage", "EMG"),
    "4.1.1.9.7.3": ("ElectrooculogramWaveformStorage", "EOG"),
    "4.1.1.9.7.4": ("SleepElectroencephalogramWaveformStorage", "WVs"),
    "4.1.1.9.8.1": ("BodyPositionWaveformStorage", "WVb"),
    "4.1.1.10": ("RETIRED_StandaloneModalityLUTStorage", "ML"),
    "4.1.1.11": ("RETIRED_StandaloneVOILUTStorage", "VO"),
    "4.1.1.11.1": ("GrayscaleSoftcopyPresentationStateStorage", "PSg"),
    "4.1.1.11.2": ("ColorSoftcopyPresentationStateStorage", "PSc"),
    "4.1.1.11.3": ("PseudoColorSoftcopyPresentationStateStorage", "PSp"),
    "4.1.1.11.4": ("BlendingSoftcopyPresentationStateStorage", "PSb"),
    "4.1.1.11.5": ("XAXRFGrayscaleSoftcopyPresentationStateStorage", "PSx"),
    "4.1.1.11.6": ("GrayscalePlanarMPRVolumetricPresentationStateStorage", "VPg"),
    "4.1.1.11.7": ("CompositingPlanarMPRVolumetricPresentationStateStorage", "VPc"),
    "4.1.1.11.8": ("AdvancedBlendingPresentationStateStorage", "PSa"),
    "4.1.1.11.9": ("VolumeRenderingVolumetricPresentationStateStorage", "VPv"),
    "4.1.1.11.10": ("SegmentedVolumeRenderingVolumetricPresentationStateStorage", "VPs"),
    "4.1.1.11.11": ("MultipleVolumeRenderingVolumetricPresentationStateStorage", "VPm"),
    "4.1.1.11.12": ("VariableModalityLUTSoftcopyPresentationStateStorage", "OT"),
    "4.1.1.12.1": ("XRayAngiographicImageStorage", "XA"),
    "4.1.1.12.1.1": ("EnhancedXAImageStorage", "XAe"),
    "4.1.1.12.2": ("XRayRadiofluoroscopicImageStorage", "RF"),
    "4.1.1.12.2.1": ("EnhancedXRFImageStorage", "RFe"),
    "4.1.1.12.3": ("RETIRED_XRayAngiographicBiPlaneImageStorage", "XB"),
    "4.1.1.13.1.1": ("XRay3DAngiographicImageStorage", "XA3"),
    "4.1.1.13.1.2": ("XRay3DCraniofacialImageStorage", "XC3"),
    "4.1.1.13.1.3": ("BreastTomosynthesisImageStorage", "BT"),
    "4.1.1.13.1.4": ("BreastProjectionXRayImageStorageForPresentation", "BX"),
    "4.1.1.13.1.5": ("BreastProjectionXRayImageStorageForProcessing", "BP"),
    "4.1.1.14.1": ("IntravascularOpticalCoherenceTomographyImageStorageForPresentation", "OCt"),
    "4.1.1.14.2": ("IntravascularOpticalCoherenceTomographyImageStorageForProcessing", "OCp"),
    "4.1.1.20": ("NuclearMedicineImageStorage", "NM"),
    "4.1.1.30": ("ParametricMapStorage", "PM"),
    "4.1.1.66": ("RawDataStorage", "RAW"),
    "4.1.1.66.1": ("SpatialRegistrationStorage", "RGs"),
    "4.1.1.66.2": ("SpatialFiducialsStorage", "FID"),
    "4.1.1.66.3": ("DeformableSpatialRegistrationStorage", "RGd"),
    "4.1.1.66.4": ("SegmentationStorage", "SG"),
    "4.1.1.66.5": ("SurfaceSegmentationStorage", "SGs"),
    "4.1.1.66.6": ("TractographyResultsStorage", "TR"),
    "4.1.1.67": ("RealWorldValueMappingStorage", "RWM"),
    "4.1.1.68.1": ("SurfaceScanMeshStorage", "SSm"),
    "4.1.1.68.2": ("SurfaceScanPointCloudStorage", "SSp"),
    "4.1.1.77.1": ("RETIRED_VLImageStorage", "VLr"),
    "4.1.1.77.1.1": ("VLEndoscopicImageStorage", "VLe"),
    "4.1.1.77.1.1.1": ("VideoEndoscopicImageStorage", "VVe"),
    "4.1.1.77.1.2": ("VLMicroscopicImageStorage", "VLm"),
    "4.1.1.77.1.2.1": ("VideoMicroscopicImageStorage", "VVm"),
    "4.1.1.77.1.3": ("VLSlideCoordinatesMicroscopicImageStorage", "VLs"),
    "4.1.1.77.1.4": ("VLPhotographicImageStorage", "VLp"),
    "4.1.1.77.1.4.1": ("VideoPhotographicImageStorage", "VVp"),
    "4.1.1.77.1.5.1": ("OphthalmicPhotography8BitImageStorage", "OPb"),
    "4.1.1.77.1.5.2": ("OphthalmicPhotography16BitImageStorage", "OPw"),
    "4.1.1.77.1.5.3": ("StereometricRelationshipStorage", "OPr"),
    "4.1.1.77.1.5.4": ("OphthalmicTomographyImageStorage", "OPt"),
    "4.1.1.77.1.5.5": ("WideFieldOphthalmicPhotographyStereographicProjectionImageStorage", "OWs"),
    "4.1.1.77.1.5.6": ("WideFieldOphthalmicPhotography3DCoordinatesImageStorage", "OW3"),
    "4.1.1.77.1.5.7": ("OphthalmicOpticalCoherenceTomographyEnFaceImageStorage", "OCe"),
    "4.1.1.77.1.5.8": ("OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage", "OCb"),
    "4.1.1.77.1.6": ("VLWholeSlideMicroscopyImageStorage", "VLw"),
    "4.1.1.77.1.7": ("DermoscopicPhotographyImageStorage", "VLd"),
    "4.1.1.77.1.8": ("ConfocalMicroscopyImageStorage", "OT"),
    "4.1.1.77.1.9": ("ConfocalMicroscopyTiledPyramidalImageStorage", "OT"),
    "4.1.1.77.2": ("RETIRED_VLMultiframeImageStorage", "VMr"),
    "4.1.1.78.1": ("LensometryMeasurementsStorage", "OPl"),
    "4.1.1.78.2": ("AutorefractionMeasurementsStorage", "OPa"),
    "4.1.1.78.3": ("KeratometryMeasurementsStorage", "OPk"),
    "4.1.1.78.4": ("SubjectiveRefractionMeasurementsStorage", "OPs"),
    "4.1.1.78.5": ("VisualAcuityMeasurementsStorage", "OPv"),
    "4.1.1.78.6": ("SpectaclePrescriptionReportStorage", "SRs"),
    "4.1.1.78.7": ("OphthalmicAxialMeasurementsStorage", "OPx"),
    "4.1.1.78.8": ("IntraocularLensCalculationsStorage", "OPc"),
    "4.1.1.79.1": ("MacularGridThicknessAndVolumeReportStorage", "SRg"),
    "4.1.1.80.1": ("OphthalmicVisualFieldStaticPerimetryMeasurementsStorage", "OPp"),
    "4.1.1.81.1": ("OphthalmicThicknessMapStorage", "OPm"),
    "4.1.1.82.1": ("CornealTopographyMapStorage", "CM"),
    "4.1.1.88.1": ("DRAFT_SRTextStorage", "SR_t"),
    "4.1.1.88.2": ("DRAFT_SRAudioStorage", "SR_a"),
    "4.1.1.88.3": ("DRAFT_SRDetailStorage", "SR_d"),
    "4.1.1.88.4": ("DRAFT_SRComprehensiveStorage", "SR_c"),
    "4.1.1.88.11": ("BasicTextSRStorage", "SRt"),
    "4.1.1.88.22": ("EnhancedSRStorage", "SRe"),
    "4.1.1.88.33": ("ComprehensiveSRStorage", "SRc"),
    "4.1.1.88.34": ("Comprehensive3DSRStorage", "SR3"),
    "4.1.1.88.35": ("ExtensibleSRStorage", "SRx"),
    "4.1.1.88.40": ("ProcedureLogStorage", "SRp"),
    "4.1.1.88.50": ("MammographyCADSRStorage", "SRm"),
    "4.1.1.88.59": ("KeyObjectSelectionDocumentStorage", "KO"),
    "4.1.1.88.65": ("ChestCADSRStorage", "SRh"),
    "4.1.1.88.67": ("XRayRadiationDoseSRStorage", "SRd"),
    "4.1.1.88.68": ("RadiopharmaceuticalRadiationDoseSRStorage", "SRr"),
    "4.1.1.88.69": ("ColonCADSRStorage", "SRo"),
    "4.1.1.88.70": ("ImplantationPlanSRDocumentStorage", "SRi"),
    "4.1.1.88.71": ("AcquisitionContextSRStorage", "SRa"),
    "4.1.1.88.72": ("SimplifiedAdultEchoSRStorage", "SRu"),
    "4.1.1.88.73": ("PatientRadiationDoseSRStorage", "SRq"),
    "4.1.1.88.74": ("PlannedImagingAgentAdministrationSRStorage", "SRj"),
    "4.1.1.88.75": ("PerformedImagingAgentAdministrationSRStorage", "SRi"),
    "4.1.1.88.76": ("EnhancedXRayRadiationDoseSRStorage", "SRde"),
    "4.1.1.88.77": ("WaveformAnnotationSRStorage", "OT"),
    "4.1.1.90.1": ("ContentAssessmentResultsStorage", "AS"),
    "4.1.1.91.1": ("MicroscopyBulkSimpleAnnotationsStorage", "MAs"),
    "4.1.1.104.1": ("EncapsulatedPDFStorage", "PDF"),
    "4.1.1.104.2": ("EncapsulatedCDAStorage", "CDA"),
    "4.1.1.104.3": ("EncapsulatedSTLStorage", "STL"),
    "4.1.1.104.4": ("EncapsulatedOBJStorage", "OBJ"),
    "4.1.1.104.5": ("EncapsulatedMTLStorage", "MTL"),
    "4.1.1.128": ("PositronEmissionTomographyImageStorage", "PI"),
    "4.1.1.128.1": ("LegacyConvertedEnhancedPETImageStorage", "PIl"),
    "4.1.1.129": ("RETIRED_StandalonePETCurveStorage", "PC"),
    "4.1.1.130": ("EnhancedPETImageStorage", "PIe"),
    "4.1.1.131": ("BasicStructuredDisplayStorage", "SD"),
    "4.1.1.200.1": ("CTDefinedProcedureProtocolStorage", "PPcd"),
    "4.1.1.200.2": ("CTPerformedProcedureProtocolStorage", "PPcp"),
    "4.1.1.200.3": ("ProtocolApprovalStorage", "PA"),
    "4.1.1.200.7": ("XADefinedProcedureProtocolStorage", "PPxd"),
    "4.1.1.200.8": ("XAPerformedProcedureProtocolStorage", "PPxp"),
    "4.1.1.201.1": ("InventoryStorage", "OT"),
    "4.1.1.481.1": ("RTImageStorage", "RI"),
    "4.1.1.481.2": ("RTDoseStorage", "RD"),
    "4.1.1.481.3": ("RTStructureSetStorage", "RS"),
    "4.1.1.481.4": ("RTBeamsTreatmentRecordStorage", "RTb"),
    "4.1.1.481.5": ("RTPlanStorage", "RP"),
    "4.1.1.481.6": ("RTBrachyTreatmentRecordStorage", "RTr"),
    "4.1.1.481.7": ("RTTreatmentSummaryRecordStorage", "RTs"),
    "4.1.1.481.8": ("RTIonPlanStorage", "RPi"),
    "4.1.1.481.9": ("RTIonBeamsTreatmentRecordStorage", "RTi"),
    "4.1.1.481.10": ("RTPhysicianIntentStorage", "RIp"),
    "4.1.1.481.11": ("RTSegmentAnnotationStorage", "RAs"),
    "4.1.1.481.12": ("RTRadiationSetStorage", "RSe"),
    "4.1.1.481.13": ("CArmPhotonElectronRadiationStorage", "Rca"),
    "4.1.1.481.14": ("TomotherapeuticRadiationStorage", "Rto"),
    "4.1.1.481.15": ("RoboticArmRadiationStorage", "Rra"),
    "4.1.1.481.16": ("RTRadiationRecordSetStorage", "RSr"),
    "4.1.1.481.17": ("RTRadiationSalvageRecordStorage", "RRs"),
    "4.1.1.481.18": ("TomotherapeuticRadiationRecordStorage", "RRt"),
    "4.1.1.481.19": ("CArmPhotonElectronRadiationRecordStorage", "RRc"),
    "4.1.1.481.20": ("RoboticRadiationRecordStorage", "RRr"),
    "4.1.1.481.21": ("RTRadiationSetDeliveryInstructionStorage", "RSd"),
    "4.1.1.481.22": ("RTTreatmentPreparationStorage", "RTp"),
    "4.1.1.481.23": ("EnhancedRTImageStorage", "OT"),
    "4.1.1.481.24": ("EnhancedContinuousRTImageStorage", "OT"),
    "4.1.1.481.25": ("RTPatientPositionAcquisitionInstructionStorage", "OT"),
    "4.1.1.501.1": ("DICOS_CTImageStorage", "CTs"),
    "4.1.1.501.2.1": ("DICOS_DigitalXRayImageStorageForPresentation", "DXs"),
    "4.1.1.501.2.2": ("DICOS_DigitalXRayImageStorageForProcessing", "DPs"),
    "4.1.1.501.3": ("DICOS_ThreatDetectionReportStorage", "TDR"),
    "4.1.1.501.4": ("DICOS_2DAITStorage", "AI2"),
    "4.1.1.501.5": ("DICOS_3DAITStorage", "AI3"),
    "4.1.1.501.6": ("DICOS_QuadrupoleResonanceStorage", "QR"),
    "4.1.1.601.1": ("DICONDE_EddyCurrentImageStorage", "EC"),
    "4.1.1.601.2": ("DICONDE_EddyCurrentMultiframeImageStorage", "ECm"),
    "4.34.1": ("DRAFT_RTBeamsDeliveryInstructionStorage", "RB_d"),
    "4.34.7": ("RTBeamsDeliveryInstructionStorage", "RTd"),
    "4.34.10": ("RTBrachyApplicationSetupDeliveryInstructionStorage", "RTa"),
    "4.38.1": ("HangingProtocolStorage", "HP"),
    "4.39.1": ("ColorPaletteStorage", "CP"),
    "4.43.1": ("GenericImplantTemplateStorage", "IT"),
    "4.44.1": ("ImplantAssemblyTemplateStorage", "ITa"),
    "4.45.1": ("ImplantTemplateGroupStorage", "ITg"),
}
